import type { Command } from 'commander';

import { answer, line, stdoutClosed, type CommonOptions } from '../output.js';
import { withParts } from '../pipeline.js';

export function registerShow(program: Command): void {
  program
    .command('show')
    .description('show the events of a lake object, one a line; of KEY:LINE all there is')
    .argument('<place>', 'KEY or KEY:LINE, as catchment rejected names them')
    .action((text: string, options: CommonOptions) =>
      withParts(options, async (_settings, { lake }) => {
        const { parsePlace } = await import('../../show/place.js');
        const { eventsAt } = await import('../../show/read-events.js');
        const place = parsePlace(text, 'show');
        const events = eventsAt(lake, place);
        if (place.line !== undefined) {
          const { describeEvent } = await import('../../show/describe-event.js');
          for await (const event of events)
            answer(options, { key: place.key, ...event }, () => describeEvent(place.key, event));
          return;
        }
        const { eventLine, jsonLine } = await import('../../tail/event-line.js');
        const closed = stdoutClosed();
        // An object may hold more than one text can.
        let separator = `{"key":${JSON.stringify(place.key)},"events":[`;
        for await (const { line: number, envelope } of events) {
          if (closed.aborted) return;
          if (options.json !== true) {
            await line(`${number}  ${eventLine(envelope)}`);
            continue;
          }
          await line(`${separator}{"line":${number},"envelope":${jsonLine(envelope)}}`);
          separator = ',';
        }
        if (options.json === true) await line(`${separator === ',' ? '' : separator}]}`);
      }),
    );
}

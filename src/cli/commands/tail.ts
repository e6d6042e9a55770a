import { setTimeout as sleep } from 'node:timers/promises';

import type { Command } from 'commander';

import { milliseconds } from '../../durations.js';
import { aborted } from '../../signals.js';
import { positiveInteger } from '../numbers.js';
import { drained, exitStatus, line, note, stdoutClosed, throttledNote, type CommonOptions } from '../output.js';
import { namedSource, withParts } from '../pipeline.js';
import { stopSignal } from '../signals.js';

/** What was shown before a stop may take so long to get through. */
const mostDrainMs = 500;

interface TailCommandOptions extends CommonOptions {
  readonly since?: number;
  readonly source?: string;
  readonly match?: string;
  readonly limit?: number;
}

export function registerTail(program: Command): void {
  program
    .command('tail')
    .description('show events as they reach the lake, until it is stopped')
    .option('--since <duration>', 'begin with what was stored so long ago', (text) => milliseconds(text, '--since'))
    .option('--source <name>', 'only events of this source')
    .option('--match <text>', "only events with this text in their body or in an attribute's value")
    .option('--limit <events>', 'end after so many', positiveInteger)
    .option('--json', 'one envelope a line, as it stands in the lake')
    .action(tailCommand);
}

async function tailCommand(options: TailCommandOptions): Promise<void> {
  const began = Date.now();
  const signal = AbortSignal.any([stopSignal(), stdoutClosed()]);
  await withParts(options, async (settings, { lake }) => {
    const { eventLine, jsonLine } = await import('../../tail/event-line.js');
    const { LakeFollower } = await import('../../tail/lake-follower.js');
    const { matcher } = await import('../../tail/match.js');
    const { tail } = await import('../../tail/tail.js');
    const sources =
      options.source === undefined ? Object.keys(settings.sources) : [namedSource(settings, options.source)];
    const follower = new LakeFollower(lake, sources, options.since === undefined ? undefined : began - options.since);
    const running = tail(lake, follower, {
      everyMs: Math.min(Math.max(settings.freshnessMs / 2, 300), 10_000),
      matches: options.match === undefined ? () => true : matcher(options.match),
      ...(options.limit !== undefined && { limit: options.limit }),
      signal,
      show: (envelope) => line(options.json === true ? jsonLine(envelope) : eventLine(envelope)),
      onFollowing: () => note(`following ${sources.join(', ')}; Ctrl-C ends it`),
      onUnavailable: throttledNote('the lake cannot be read, trying again'),
      onUnreadable: (key, why) => note(`${key} cannot be shown: ${why}`),
    });
    // A lake that hangs does not hold it up.
    await Promise.race([running, aborted(signal)]);
    if (signal.aborted) await letGoOfStdout();
  });
}

/** A reader that reads no more, as a pager at its first page, would hold the process up. */
async function letGoOfStdout(): Promise<void> {
  await Promise.race([drained(process.stdout), sleep(mostDrainMs)]);
  if (process.stdout.writableLength > 0) process.exit(exitStatus.done);
}

import type { Command } from 'commander';

import { milliseconds } from '../../durations.js';
import type { StatusReport } from '../../status/report.js';
import { answer, doesNotHold, note, type CommonOptions } from '../output.js';
import { loadSettings } from '../pipeline.js';
import { renderTable } from '../table.js';

interface StatusOptions extends CommonOptions {
  readonly wait?: true;
  readonly timeout: number;
}

export function registerStatus(program: Command): void {
  program
    .command('status')
    .description('what waits, what is loaded, what is missing')
    .option('--wait', 'until everything sent so far is in the tables')
    .option('--timeout <duration>', 'how long to wait', (text) => milliseconds(text, '--timeout'), 600_000)
    .action(async (options: StatusOptions) => {
      const settings = await loadSettings(options);
      const { openStatus } = await import('../../status/status.js');
      const reader = openStatus(settings);
      try {
        if (options.wait !== true) {
          await tell(options, await reader.read('everything'));
          return;
        }
        const { waitUntilDone } = await import('../../status/wait.js');
        // A cloud's numbers lag: readings too close together would be alike for that alone.
        const everyMs = Math.min(Math.max(settings.freshnessMs / 2, 300), 10_000);
        const { report, waitingFor } = await waitUntilDone(reader, {
          timeoutMs: options.timeout,
          everyMs,
          onWaiting: onChange(),
        });
        await tell(options, report, waitingFor);
      } finally {
        await reader.close();
      }
    });
}

async function tell(
  options: StatusOptions,
  report: StatusReport | undefined,
  waitingFor?: readonly string[],
): Promise<void> {
  const late = waitingFor !== undefined && waitingFor.length > 0;
  const text = options.json !== true && report !== undefined ? await describe(report) : '';
  answer(options, { ...report, ...(waitingFor && { waitingFor }) }, () =>
    late ? `${text}\nstill waiting for ${waitingFor.join(', ')}` : text,
  );
  if (late || report === undefined || report.unanswered.length > 0) doesNotHold();
}

/** Says what is waited for when that changes, so that a person sees whether it moves. */
function onChange(): ((what: readonly string[]) => void) | undefined {
  if (!process.stderr.isTTY) return undefined;
  let last = '';
  return (what) => {
    const now = what.join(', ');
    if (now !== last) note(`waiting for ${now}`);
    last = now;
  };
}

async function describe(report: StatusReport): Promise<string> {
  const queues = Object.entries(report.queues).map(([queue, numbers]) => ({ queue, ...numbers }));
  const tables = Object.entries(report.tables).map(([table, numbers]) => ({ table, ...numbers }));
  return [
    ...(queues.length > 0 ? [await renderTable(queues)] : []),
    ...(report.lake ? [`lake: ${report.lake.events} events in ${report.lake.objects} objects`] : []),
    ...(tables.length > 0 ? [await renderTable(tables)] : []),
    ...(report.workflows === undefined ? [] : [`${report.workflows} workflows are running`]),
    ...(report.urls.temporal === undefined ? [] : [`Temporal: ${report.urls.temporal}`]),
    ...report.unanswered.map(({ part, error }) => `${part} did not answer: ${error}`),
  ].join('\n');
}

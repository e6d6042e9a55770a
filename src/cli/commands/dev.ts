import { dirname } from 'node:path';

import { InvalidArgumentError, type Command } from 'commander';

import type { Settings } from '../../config/settings.js';
import type { Progress } from '../../dev/live-line.js';
import { moduleCommand } from '../../dev/module-command.js';
import type { DevChild } from '../../dev/run.js';
import { screen } from '../../dev/screen.js';
import { stopSignals } from '../../dev/stop-signals.js';
import { milliseconds } from '../../durations.js';
import type { StatusReport } from '../../status/report.js';
import { answer, doesNotHold, type CommonOptions } from '../output.js';
import { loadSettings } from '../pipeline.js';

interface DevCommandOptions extends CommonOptions {
  readonly temporalAddress?: string;
  readonly temporalPort?: number;
  readonly uiPort?: number;
  readonly collectorPort?: number;
  readonly metricsPort?: number;
  readonly drain: string;
  readonly supervised?: true;
}

export function registerDev(program: Command): void {
  program
    .command('dev')
    .description('run everything on this machine, supervised: the Temporal server, the worker and the poller')
    .option('--temporal-address <host:port>', 'use this Temporal instead of starting one (or set TEMPORAL_ADDRESS)')
    .option(
      '--temporal-port <port>',
      "the Temporal server's port, 0 for a free one (default: 7233 if it is free)",
      port,
    )
    .option('--ui-port <port>', "the Temporal UI's port, 0 for a free one (default: 8233 if it is free)", port)
    .option('--collector-port <port>', "the collector's port, once there is one; 0 for a free one", port)
    .option('--metrics-port <port>', "the worker's Prometheus metrics, the poller's on the next; 0 for free ones", port)
    .option('--drain <duration>', 'how long Ctrl-C lets what is under way finish', '5s')
    .option('--supervised', 'end when stdin closes')
    .action(dev);
}

async function dev(options: DevCommandOptions): Promise<void> {
  const drainMs = milliseconds(options.drain, '--drain');
  const signals = stopSignals(options.supervised && process.stdin);
  const settings = await loadSettings(options);
  const { runDev } = await import('../../dev/run.js');
  const { openStatus } = await import('../../status/status.js');
  const status = openStatus(settings);
  const clean = await runDev({
    ...options,
    dataDir: settings.dataDir,
    children: [child('worker', settings, options), child('poll', settings, options)],
    drainMs,
    screen: screen(process.stderr),
    signals,
    progress: async () => progressOf(await status.read('live')),
    onUp: (record) => answer(options, record, () => ''),
  });
  if (!clean) doesNotHold();
}

/** A command of this program, on the same config and folder. */
function child(name: string, settings: Settings, options: DevCommandOptions): DevChild {
  const { command, args } = moduleCommand(new URL('../main.js', import.meta.url));
  // A little less than `dev` waits, so that what is left over goes back to its queue before the process is killed.
  const drain = `${Math.round(milliseconds(options.drain, '--drain') * 0.8)}ms`;
  const where = ['--config', settings.file, '--dir', dirname(settings.dataDir), '--drain', drain, '--supervised'];
  return { name, command, args: [...args, name, ...where, ...(options.debug === true ? ['--debug'] : [])] };
}

function progressOf(report: StatusReport): Progress {
  const tables = Object.values(report.tables);
  const waiting = Object.values(report.queues).map((queue) => queue.waiting + queue.leased);
  const ages = tables.flatMap(({ freshnessSeconds }) => freshnessSeconds ?? []);
  return {
    waiting: sum(waiting),
    ...(report.lake && { inLake: report.lake.events }),
    loaded: sum(tables.map(({ rows }) => rows)),
    rejected: sum(tables.map(({ rejected }) => rejected)),
    ...(ages.length > 0 && { freshnessMs: 1_000 * Math.max(...ages) }),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function port(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number <= 65_535) return number;
  throw new InvalidArgumentError('a port is a number up to 65535; 0 is a free one.');
}

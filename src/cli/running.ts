import { Option, type Command } from 'commander';

import type { Settings } from '../config/settings.js';
import { milliseconds } from '../durations.js';
import { parseMetricsAddress, type MetricsAddress } from '../metrics/address.js';
import type { CommonOptions } from './output.js';
import { loadSettings } from './pipeline.js';
import { stopSignal } from './signals.js';

/** What a command that runs until it is stopped is given. */
export interface Run {
  readonly settings: Settings;
  /** Aborted when it is to stop. */
  readonly signal: AbortSignal;
  /** How long what is under way may take then, in milliseconds. */
  readonly drainMs: number;
  /** It is a child of `dev`, and ends when that is gone. */
  readonly supervised: boolean;
  /** Where metrics are to be served, if anywhere. */
  readonly metrics?: MetricsAddress;
}

interface RunningOptions extends CommonOptions {
  readonly drain: string;
  readonly supervised?: true;
  readonly metricsPort?: MetricsAddress;
}

/** Adds a command that runs until it is stopped, by a signal or with its `dev`. */
export function registerRunning(
  program: Command,
  name: string,
  description: string,
  run: (how: Run) => Promise<void>,
): void {
  program
    .command(name)
    .description(description)
    .option('--drain <duration>', 'how long what is under way may take after a stop', '5s')
    .option(
      '--metrics-port <[host:]port>',
      'serve Prometheus metrics at /metrics, 0 for a free port',
      parseMetricsAddress,
    )
    .addOption(new Option('--supervised').hideHelp())
    .action(async (options: RunningOptions) => {
      const supervised = options.supervised === true;
      const drainMs = milliseconds(options.drain, '--drain');
      // Before anything that takes time: a signal that comes while the config loads is not to be lost.
      const signal = stopSignal(supervised);
      const metrics = options.metricsPort;
      await run({ settings: await loadSettings(options), signal, drainMs, supervised, ...(metrics && { metrics }) });
    });
}

import { Option, type Command } from 'commander';

import { milliseconds } from '../../durations.js';
import type { CommonOptions } from '../output.js';
import { loadSettings } from '../pipeline.js';
import { stopSignal } from '../signals.js';

export function registerWorker(program: Command): void {
  program
    .command('worker')
    .description('run workflows and activities until it is stopped: loads, backfills, reconcile')
    .option('--drain <duration>', 'how long what is under way may take after a stop', '5s')
    .addOption(new Option('--supervised').hideHelp())
    .action(async (options: CommonOptions & { drain: string; supervised?: true }) => {
      const supervised = options.supervised === true;
      const drainMs = milliseconds(options.drain, '--drain');
      const signal = stopSignal(supervised);
      const settings = await loadSettings(options);
      const { runWorker } = await import('../../worker/run.js');
      await runWorker({ settings, signal, drainMs, migrate: supervised });
    });
}

import { Option, type Command } from 'commander';

import type { CommonOptions } from '../output.js';
import { loadSettings } from '../pipeline.js';
import { stopSignal } from '../signals.js';

export function registerWorker(program: Command): void {
  program
    .command('worker')
    .description('run workflows and activities until it is stopped: loads, backfills, reconcile')
    .addOption(new Option('--supervised').hideHelp())
    .action(async (options: CommonOptions & { supervised?: true }) => {
      const supervised = options.supervised === true;
      const signal = stopSignal(supervised);
      const settings = await loadSettings(options);
      const { runWorker } = await import('../../worker/run.js');
      await runWorker({ settings, signal, migrate: supervised });
    });
}

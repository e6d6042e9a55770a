import { Option, type Command } from 'commander';

import type { CommonOptions } from '../output.js';
import { loadSettings } from '../pipeline.js';
import { stopSignal } from '../signals.js';

export function registerPoll(program: Command): void {
  program
    .command('poll')
    .description('take messages off the queues until it is stopped')
    .addOption(new Option('--supervised').hideHelp())
    .action(async (options: CommonOptions & { supervised?: true }) => {
      const supervised = options.supervised === true;
      const signal = stopSignal(supervised);
      const settings = await loadSettings(options);
      const { runPoller } = await import('../../starter/run.js');
      await runPoller({ settings, signal });
    });
}

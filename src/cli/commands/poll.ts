import { Option, type Command } from 'commander';

import { milliseconds } from '../../durations.js';
import type { CommonOptions } from '../output.js';
import { loadSettings } from '../pipeline.js';
import { stopSignal } from '../signals.js';

export function registerPoll(program: Command): void {
  program
    .command('poll')
    .description('take messages off the queues until it is stopped')
    .option('--drain <duration>', 'how long what is under way may take after a stop', '5s')
    .addOption(new Option('--supervised').hideHelp())
    .action(async (options: CommonOptions & { drain: string; supervised?: true }) => {
      const supervised = options.supervised === true;
      const drainMs = milliseconds(options.drain, '--drain');
      const signal = stopSignal(supervised);
      const settings = await loadSettings(options);
      const { runPoller } = await import('../../starter/run.js');
      await runPoller({ settings, signal, drainMs });
    });
}

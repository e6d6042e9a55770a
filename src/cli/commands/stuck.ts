import type { Command } from 'commander';

import { positiveInteger } from '../numbers.js';
import { answer, doesNotHold, type CommonOptions } from '../output.js';
import { loadSettings } from '../pipeline.js';

export function registerStuck(program: Command): void {
  program
    .command('stuck')
    .description('what fails again and again, is paused or finds no worker, why, and the command that makes it go on')
    .option('--limit <workflows>', 'look at so many running workflows, those that run longest', positiveInteger, 100)
    .action(async (options: CommonOptions & { readonly limit: number }) => {
      const { pipeline, dataDir } = await loadSettings(options);
      const { connectTemporal } = await import('../../temporal.js');
      const { Commands } = await import('../../stuck/commands.js');
      const { describeStuck } = await import('../../stuck/describe-stuck.js');
      const { findStuck } = await import('../../stuck/find-stuck.js');
      const { TemporalReader } = await import('../../stuck/temporal-reader.js');
      const temporal = await connectTemporal(dataDir);
      try {
        const commands = new Commands(temporal);
        const report = await findStuck(new TemporalReader(temporal), commands, { pipeline, limit: options.limit });
        answer(options, report, () => describeStuck(report, commands, Date.now()));
        if (report.stuck.length > 0) doesNotHold();
      } finally {
        await temporal.connection.close();
      }
    });
}

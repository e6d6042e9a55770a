import type { Command } from 'commander';

import type { Change } from '../../providers/warehouse.js';
import { answer, type CommonOptions } from '../output.js';
import { withParts } from '../pipeline.js';

export function registerMigrate(program: Command): void {
  program
    .command('migrate')
    .description('make the tables, or widen them by the columns that are new')
    .option('--dry-run', 'only say what would be changed')
    .action((options: CommonOptions & { dryRun?: true }) =>
      withParts(options, async (settings, { warehouse }) => {
        const { loadTables } = await import('../../config/load.js');
        const tables = await loadTables(settings);
        const how = options.dryRun === true ? 'plan' : 'apply';
        const changes = await warehouse.migrate(
          tables.map(({ shape }) => shape),
          how,
        );
        answer(options, { applied: how === 'apply', changes }, () =>
          changes.length === 0 ? 'nothing to change' : changes.map((change) => describe(change, how)).join('\n'),
        );
      }),
    );
}

function describe({ table, what, column }: Change, how: 'plan' | 'apply'): string {
  const change = `${what} ${table}${column === undefined ? '' : `.${column}`}`;
  return how === 'plan' ? `would ${change}` : `${change}: done`;
}

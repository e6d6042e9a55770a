import type { Command } from 'commander';

import { answer, type CommonOptions } from '../output.js';
import { withParts } from '../pipeline.js';
import { renderTable } from '../table.js';

const shownRows = 1_000;

export function registerQuery(program: Command): void {
  program
    .command('query')
    .description('ask the warehouse')
    .argument('<sql>', 'one statement')
    .action((sql: string, options: CommonOptions) =>
      withParts(options, async (_settings, { warehouse }) => {
        const rows: Record<string, unknown>[] = [];
        for await (const row of warehouse.query(sql)) rows.push(row);
        const text = options.json === true ? '' : await describe(rows);
        answer(options, { rows }, () => text);
      }),
    );
}

async function describe(rows: readonly Record<string, unknown>[]): Promise<string> {
  if (rows.length === 0) return 'no rows';
  const table = await renderTable(rows.slice(0, shownRows));
  return rows.length <= shownRows
    ? table
    : `${table}\n${rows.length} rows, of which ${shownRows} are shown; --json has all`;
}

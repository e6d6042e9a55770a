import type { Command } from 'commander';

import { ConfigError } from '../../errors.js';
import { harmless } from '../../harmless.js';
import type { RejectedCounts, RejectedPage } from '../../rejected/rejected.js';
import { positiveInteger } from '../numbers.js';
import { answer, type CommonOptions } from '../output.js';
import { withParts } from '../pipeline.js';
import { renderTable } from '../table.js';

interface RejectedOptions extends CommonOptions {
  readonly table?: string;
  readonly reason?: string;
  readonly after?: string;
  readonly limit: number;
}

export function registerRejected(program: Command): void {
  program
    .command('rejected')
    .description('how many events are rejected, by table and reason; with --table which ones, for catchment show')
    .option('--table <name>', 'name the rejected events of this table')
    .option('--reason <text>', 'with --table: those whose reason has this in it')
    .option('--after <key:line>', 'with --table: go on behind this one')
    .option('--limit <lines>', 'tell so many', positiveInteger, 100)
    .action((options: RejectedOptions) =>
      withParts(options, async (_settings, { warehouse }) => {
        const { rejectedCounts, rejectedPage } = await import('../../rejected/rejected.js');
        const { table, reason, after, limit } = options;
        if (table === undefined) {
          if (reason !== undefined || after !== undefined)
            throw new ConfigError(`${reason === undefined ? '--after' : '--reason'}: it goes with --table`);
          const counts = await rejectedCounts(warehouse, limit);
          const text = options.json === true ? '' : await describeCounts(counts);
          answer(options, counts, () => text);
          return;
        }
        const wanted = { table, limit, ...(reason !== undefined && { reason }), ...(after !== undefined && { after }) };
        const page = await rejectedPage(warehouse, wanted);
        answer(options, page, () => describePage(page));
      }),
    );
}

async function describeCounts({ reasons, more }: RejectedCounts): Promise<string> {
  if (reasons.length === 0) return 'no event is rejected';
  const table = await renderTable(reasons);
  return more ? `${table}\nthe ${reasons.length} most frequent; --limit tells more` : table;
}

/** Not as a table: a key is as long as a terminal is wide, and is to be copied whole. */
function describePage({ table, rejections, next }: RejectedPage): string {
  if (rejections.length === 0) return `no event of ${table} is rejected so`;
  const lines = rejections.map(({ key, line, reason }) => `${key}:${line}  ${harmless(reason)}`);
  return [...lines, ...(next === undefined ? [] : [`there are more: go on with --after ${next}`])].join('\n');
}

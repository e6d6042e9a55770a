import type { Command } from 'commander';

import type { ReconcileReport, TableReport } from '../../reconcile/report.js';
import { answer, doesNotHold, note, type CommonOptions } from '../output.js';
import { withParts } from '../pipeline.js';
import { renderTable } from '../table.js';

export function registerReconcile(program: Command): void {
  program
    .command('reconcile')
    .description('prove from lake and warehouse that every event is where it belongs, up to a stated moment')
    .action((options: CommonOptions) =>
      withParts(options, async (settings, parts) => {
        const { loadTables } = await import('../../config/load.js');
        const { reconcile } = await import('../../reconcile/reconcile.js');
        const onProgress = (objects: number): void => {
          if (process.stderr.isTTY && objects % 10_000 === 0) note(`${objects} objects compared`);
        };
        const tables = await loadTables(settings);
        const { report } = await reconcile(parts, settings, tables, { full: true, onProgress });
        const text = options.json === true ? '' : await describe(report);
        answer(options, report, () => text);
        if (!report.ok) doesNotHold();
      }),
    );
}

/** What a person reads in any case; every other number is shown where a table has one that is not 0. */
const always = ['version', 'events', 'matched', 'rows', 'rejected'];

async function describe(report: ReconcileReport): Promise<string> {
  const { lake, events, underWay } = report.objects;
  const tables = Object.entries(report.tables);
  const shown = (name: string): boolean =>
    name !== 'problem' &&
    (always.includes(name) || tables.some(([, numbers]) => numbers[name as keyof TableReport] !== 0));
  const rows = tables.map(([table, numbers]) => ({
    table,
    ...Object.fromEntries(Object.entries(numbers).filter(([name]) => shown(name))),
  }));
  const everything = report.ok ? 'everything' : 'NOT everything';
  return [
    ...(rows.length > 0 ? [await renderTable(rows)] : []),
    ...tables.flatMap(([table, { problem }]) => (problem === undefined ? [] : [`${table}: ${problem}`])),
    `${events} events in ${lake} lake objects; ${underWay} objects under way; ${report.deadLetters ?? 'unknown'} dead letters`,
    `${everything} stored before ${report.provedUntil} is in its tables`,
  ].join('\n');
}

import type { Command } from 'commander';

import type { ReconcileReport } from '../../reconcile/report.js';
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

async function describe(report: ReconcileReport): Promise<string> {
  const { lake, events, underWay } = report.objects;
  const tables = Object.entries(report.tables).map(([table, { problem: _, ...numbers }]) => ({ table, ...numbers }));
  const problems = Object.values(report.tables).flatMap(({ problem }) => problem ?? []);
  const verdict = report.ok
    ? `everything stored before ${report.provedUntil} is in its tables`
    : `NOT everything stored before ${report.provedUntil} is in its tables`;
  return [
    ...(tables.length > 0 ? [await renderTable(tables)] : []),
    ...problems,
    `${events} events in ${lake} lake objects, ${underWay} objects under way`,
    `${report.deadLetters ?? 'unknown'} dead letters`,
    verdict,
  ].join('\n');
}

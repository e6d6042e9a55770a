import type { Command } from 'commander';

import { count, counted } from '../../amounts.js';
import { Unavailable } from '../../errors.js';
import type { Reconciliation } from '../../reconcile/reconcile.js';
import type { ReconcileReport, TableReport } from '../../reconcile/report.js';
import { answer, doesNotHold, note, type CommonOptions } from '../output.js';
import { withParts } from '../pipeline.js';
import { compareDeep } from '../deep.js';
import { repair } from '../repair.js';
import { interruption } from '../signals.js';
import { renderTable } from '../table.js';

export function registerReconcile(program: Command): void {
  program
    .command('reconcile')
    .description('prove from lake and warehouse that every event is where it belongs, up to a stated moment')
    .option('--deep', 'also read every body in the lake again, and compare each event with the tables')
    .option('--repair', 'have backfills mend what is found, wait for them and compare again')
    .action((options: CommonOptions & { deep?: true; repair?: true }) =>
      withParts(options, async (settings, parts) => {
        const { loadTables } = await import('../../config/load.js');
        const { reconcile } = await import('../../reconcile/reconcile.js');
        const onProgress = (objects: number): void => {
          if (process.stderr.isTTY && objects % 10_000 === 0) note(`${counted(objects, 'lake object')} compared`);
        };
        const tables = await loadTables(settings);
        const signal = interruption();
        const how = { full: true, impatient: options.repair === true, onProgress, signal };
        const compare = async (deep: boolean | undefined = options.deep): Promise<Reconciliation> => {
          try {
            return await (deep === true
              ? compareDeep(settings, signal, (deep) => reconcile(parts, settings, tables, { ...how, deep }))
              : reconcile(parts, settings, tables, how));
          } catch (error) {
            throw signal.aborted ? new Unavailable('interrupted: nothing is proved') : error;
          }
        };
        const found = await compare();
        const { report } =
          options.repair === true ? await repair({ settings, parts, tables, signal, compare }, found) : found;
        const text = options.json === true ? '' : await describe(report);
        answer(options, report, () => text);
        if (!report.ok) doesNotHold();
      }),
    );
}

/** What a person reads in any case; every other number is shown where a table has one that is not 0. */
const always = ['version', 'events', 'matched', 'rows', 'rejected'];

async function describe(report: ReconcileReport): Promise<string> {
  const { faultsOf } = await import('../../reconcile/faults.js');
  const { lake, events, underWay } = report.objects;
  const tables = Object.entries(report.tables);
  const shown = (name: string): boolean =>
    always.includes(name) ||
    tables.some(([, numbers]) => {
      const n = numbers[name as keyof TableReport];
      return typeof n === 'number' && n !== 0;
    });
  const rows = tables.map(([table, numbers]) => ({
    table,
    ...Object.fromEntries(Object.entries(numbers).filter(([name]) => shown(name))),
  }));
  const everything = report.ok ? 'everything' : 'NOT everything';
  const deadLetters = report.deadLetters === null ? 'dead letters unknown' : counted(report.deadLetters, 'dead letter');
  return [
    ...(rows.length > 0 ? [await renderTable(rows)] : []),
    ...tables.flatMap(([table, numbers]) => describeIdentities(table, numbers)),
    ...faultsOf(report),
    ...(report.objects.unreadableKeys ?? []).map((key) => `unreadable: ${key}`),
    `${counted(events, 'event')} in ${counted(lake, 'lake object')}; ${counted(underWay, 'object')} under way; ${deadLetters}`,
    `${everything} stored before ${report.provedUntil} is in its tables`,
  ].join('\n');
}

function describeIdentities(table: string, { version, identities }: TableReport): string[] {
  if (identities === undefined) return [];
  const { compared, notCompared = 0, examples, within, newerVersion } = identities;
  if (newerVersion !== undefined) {
    const what = `the warehouse has version ${newerVersion}, this config ${version}: compare with the newer one`;
    return [`${table}: no event compared, ${what}`];
  }
  const hours = within === undefined ? '' : `, of batches from ${within.from} to ${within.to}`;
  return [
    `${table}: ${counted(compared, 'event')} compared`,
    ...(notCompared > 0
      ? [`${table}: ${count(notCompared)} not, of no event, of another source, or of unlike copies`]
      : []),
    ...(examples.length > 0 ? [`${table}: see _event_key ${examples.join(', ')}${hours}`] : []),
  ];
}

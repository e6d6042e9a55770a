import { writeHour } from '../lake-hours.js';
import type { BackfillAsk } from '../workflows/backfill-state.js';
import type { Reconciliation } from './reconcile.js';
import type { ReconcileReport, TableReport } from './report.js';

/** A backfill that mends some of what a comparison found. */
export interface Repair {
  readonly table: string;
  readonly ask: BackfillAsk;
}

/**
 * What is missing is loaded, and of events whose rows are missing or too many (`--deep` says which) the hours that their
 * batches are of are made anew. What no lake object has, nothing can make.
 */
export function repairsOf({ report, gaps }: Reconciliation): Repair[] {
  const missing = gaps.map(({ table, from, to }): Repair => ({
    table,
    ask: { mode: 'missing', from, to, owed: true },
  }));
  const anew = Object.entries(report.tables).flatMap(([table, { version, identities }]): Repair[] => {
    const { within } = identities ?? {};
    if (within === undefined) return [];
    const [from, to] = [Date.parse(within.from), Date.parse(within.to)];
    // A batch's time has milliseconds, and the range leaves its end out. Nobody asked for history that the table does not owe.
    return [{ table, ask: { mode: 'replace', again: true, version, from, to: to + 1, owed: true } }];
  });
  return [...missing, ...anew];
}

/**
 * Tables of which only the sums do not hold: every event was compared and has what it makes, so it is the manifest that does
 * not know what somebody did beside the loads.
 */
export function amendable({ objects, tables }: ReconcileReport): string[] {
  if (objects.unreadable !== 0) return [];
  return Object.entries(tables).flatMap(([name, table]) => (onlySumsDiffer(table) ? [name] : []));
}

function onlySumsDiffer(table: TableReport): boolean {
  const { identities, objectsMissing, objectsOutdated, objectsUnreadable, objectsGone, rowsTwice, problem } = table;
  const { rowsMissing, rowsExtra, rejectionsMissing, rejectionsExtra } = table;
  if (identities === undefined || identities.newerVersion !== undefined || problem !== undefined) return false;
  const proved = (identities.notCompared ?? 0) + identities.missing + identities.uneven + identities.extra === 0;
  const whole = objectsMissing + objectsOutdated + objectsUnreadable + objectsGone + rowsTwice === 0;
  return proved && whole && rowsMissing + rowsExtra + rejectionsMissing + rejectionsExtra > 0;
}

/** The hours of a repair, for people. */
export function hoursOf({ from = 0, to = 0 }: BackfillAsk): string {
  return `${writeHour(Number(from))} to ${writeHour(Number(to) - 1)}`;
}

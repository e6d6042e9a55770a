import { counted } from '../amounts.js';
import { askBackfill } from '../backfill/requests.js';
import type { Settings } from '../config/settings.js';
import { Unavailable } from '../errors.js';
import type { Parts } from '../open.js';
import type { Reconciliation } from '../reconcile/reconcile.js';
import { amendable, hoursOf, repairsOf, type Repair } from '../reconcile/repair.js';
import type { Table } from '../tables.js';
import { followNoting, withBackfills } from './backfills.js';
import { note } from './output.js';

interface Repairing {
  readonly settings: Settings;
  readonly parts: Parts;
  readonly tables: readonly Table[];
  readonly signal: AbortSignal;
  /** As deep as it was asked for, or as told. */
  compare(deep?: boolean): Promise<Reconciliation>;
}

/** Has what was found mended, what is under way included, and says what holds then. */
export async function repair(on: Repairing, found: Reconciliation): Promise<Reconciliation> {
  const repairs = repairsOf(found);
  if (repairs.length > 0) await backfilled(on, repairs);
  const then = repairs.length > 0 ? await on.compare() : found;
  const tables = amendable(then.report);
  if (tables.length === 0) return then;
  for (const { name, shape } of on.tables.filter((table) => tables.includes(table.name))) {
    const { rows, rejections } = await on.parts.warehouse.amend(shape);
    const what = [differing(rows, 'row'), differing(rejections, 'rejection')].filter((text) => text !== undefined);
    note(
      `${name}: each event is as its transform makes it, so the manifest is amended: ${what.join(', ')} than it said`,
    );
  }
  return on.compare(false);
}

/** Of how many more or fewer there are than the manifest's sums. */
function differing(above: number, noun: string): string | undefined {
  return above === 0 ? undefined : `${counted(Math.abs(above), noun)} ${above > 0 ? 'fewer' : 'more'}`;
}

async function backfilled({ settings, signal }: Repairing, repairs: readonly Repair[]): Promise<void> {
  await withBackfills(settings, async (place) => {
    for (const { table, ask } of repairs) {
      note(`${table}: ${ask.mode === 'replace' ? 'made anew' : 'what is missing'} of ${hoursOf(ask)}`);
      await askBackfill(place, table, ask);
    }
    for (const table of new Set(repairs.map((one) => one.table))) {
      for await (const { ended } of followNoting(place, table, signal)) if (ended !== undefined) break;
    }
    if (signal.aborted) throw new Unavailable('interrupted: the backfills go on, and nothing is proved');
  });
}

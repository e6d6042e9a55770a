import type { Settings } from '../config/settings.js';
import { hourPrefix } from '../keys.js';
import { timeOfId } from '../ids.js';
import type { Parts } from '../open.js';
import { compareLake, type OwedTable } from '../reconcile/compare.js';

/** What a table misses, of any age. */
interface Missing {
  readonly objects: number;
  /** `writtenAt` of the oldest. */
  readonly oldest?: Date;
}

export interface LakeTotals {
  readonly objects: number;
  readonly events: number;
  /** By table; a table that misses nothing may be absent. */
  readonly missing: ReadonlyMap<string, Missing>;
}

/** One hour of one source. */
interface HourTotals {
  readonly hour: number;
  objects: number;
  events: number;
  readonly missing: Map<string, Missing>;
}

const hourMs = 3_600_000;

/**
 * Sums over the lake. A live display reads them again and again, so later readings look only at the hours that can still
 * change: from the oldest with something missing, or the last full hour, on. `everything` forgets what was read before.
 */
export class LakeReader {
  readonly #since: number | undefined;
  #hours = new Map<string, HourTotals>();

  /** `since`: hours before it (Unix milliseconds) are left out; by default none is. */
  constructor(since?: number) {
    this.#since = since;
  }

  async read(
    parts: Pick<Parts, 'lake' | 'warehouse'>,
    settings: Pick<Settings, 'sources'>,
    tables: readonly OwedTable[],
    everything: boolean,
  ): Promise<LakeTotals> {
    const known = everything ? new Map<string, HourTotals>() : this.#hours;
    const from = known.size === 0 ? this.#since : this.#changing(Date.now());
    const hours = new Map([...known].filter(([, { hour }]) => from !== undefined && hour < from));
    for await (const page of compareLake(parts, settings, tables, from)) {
      for (const object of page) {
        const time = timeOfId(object.batch)!;
        const prefix = hourPrefix(object.source, time);
        const totals: HourTotals = hours.get(prefix) ?? {
          hour: hourOf(time),
          objects: 0,
          events: 0,
          missing: new Map(),
        };
        hours.set(prefix, totals);
        totals.objects += 1;
        totals.events += object.events;
        for (const table of object.missingIn)
          totals.missing.set(table, plus(totals.missing.get(table), { objects: 1, oldest: object.writtenAt }));
      }
    }
    this.#hours = hours;
    return sum(hours.values());
  }

  #changing(now: number): number {
    const gaps = [...this.#hours.values()].filter(({ missing }) => missing.size > 0).map(({ hour }) => hour);
    return Math.min(hourOf(now) - hourMs, ...gaps);
  }
}

function sum(hours: Iterable<HourTotals>): LakeTotals {
  let objects = 0;
  let events = 0;
  const missing = new Map<string, Missing>();
  for (const hour of hours) {
    objects += hour.objects;
    events += hour.events;
    for (const [table, more] of hour.missing) missing.set(table, plus(missing.get(table), more));
  }
  return { objects, events, missing };
}

function plus(a: Missing = { objects: 0 }, b: Missing): Missing {
  const oldest = [a.oldest, b.oldest].filter((date) => date !== undefined).sort((x, y) => x.getTime() - y.getTime())[0];
  return { objects: a.objects + b.objects, ...(oldest && { oldest }) };
}

function hourOf(time: number): number {
  return Math.floor(time / hourMs) * hourMs;
}

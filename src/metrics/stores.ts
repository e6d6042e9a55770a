import type { Settings } from '../config/settings.js';
import type { Parts } from '../open.js';
import { owedTables } from '../reconcile/owed.js';
import { LakeReader, type LakeTotals } from '../status/lake-totals.js';
import type { Table } from '../tables.js';
import { Age } from './age.js';
import type { Figures } from './figures.js';
import { watch, watchEveryMs } from './watch.js';

/** In the order in which they are asked: one that does not answer leaves those after it unknown. */
const asked = ['tables', 'warehouse', 'lake'] as const;

interface Reading {
  /** Tables of the config. */
  readonly defined: readonly string[];
  /** Those that the warehouse has. */
  readonly made: readonly string[];
  readonly missing: LakeTotals['missing'];
}

export interface StoresToWatch {
  readonly parts: Pick<Parts, 'lake' | 'warehouse'>;
  readonly settings: Pick<Settings, 'sources' | 'freshnessMs' | 'surviveMs'>;
  /** The user's tables. */
  readonly tables: () => Promise<readonly Table[]>;
}

/** How far behind the lake each table is, again and again until `stop`. Never throws: a store that does not answer is a figure too. */
export function watchStores(
  { parts, settings, tables }: StoresToWatch,
  figures: Figures,
  stop: AbortSignal,
  everyMs = watchEveryMs(settings),
): void {
  const lake = new LakeReader(Date.now() - settings.surviveMs - dayMs);
  const told = new StoreFigures(figures);
  let asking: (typeof asked)[number] = 'tables';
  const read = async (): Promise<Reading> => {
    asking = 'tables';
    const defined = await tables();
    asking = 'warehouse';
    const { owed } = await owedTables(parts.warehouse, defined);
    asking = 'lake';
    const { missing } = await lake.read(parts, settings, owed, false);
    return { defined: defined.map(({ name }) => name), made: owed.map(({ shape }) => shape.name), missing };
  };
  void watch(read, (reading) => told.tell(reading, asking), everyMs, stop);
}

const dayMs = 86_400_000;

class StoreFigures {
  readonly #figures: Figures;
  readonly #oldest = new Age();
  readonly #tables = new Map<string, Age>();

  constructor(figures: Figures) {
    this.#figures = figures;
  }

  /** `asking`: whose answer is outstanding where there is no reading. */
  tell(reading: Reading | undefined, asking: (typeof asked)[number]): void {
    const silent = reading === undefined ? asked.indexOf(asking) : asked.length;
    asked.forEach((part, index) => this.#figures.partUp.set(index < silent ? 1 : index === silent ? 0 : NaN, { part }));
    if (reading !== undefined) this.#note(reading);
    this.#figures.oldestUnloaded.set(this.#oldest.seconds);
    for (const [table, age] of this.#tables) {
      this.#figures.freshness.set(age.seconds, { table });
      this.#figures.unloadedObjects.set(unloaded(reading, table), { table });
    }
  }

  #note({ defined, made, missing }: Reading): void {
    const now = Date.now();
    const ageOf = (oldest: number | undefined): number => (oldest === undefined ? 0 : now - oldest);
    for (const table of defined) if (!this.#tables.has(table)) this.#add(table);
    for (const table of this.#tables.keys()) if (!defined.includes(table)) this.#forget(table);
    for (const table of made) this.#tables.get(table)!.known(ageOf(missing.get(table)?.oldest?.getTime()));
    const oldest = [...missing.values()].flatMap((one) => one.oldest?.getTime() ?? []);
    this.#oldest.known(ageOf(oldest.length === 0 ? undefined : Math.min(...oldest)));
  }

  /** Its counters begin at 0: the first rejection would be no increase otherwise. */
  #add(table: string): void {
    this.#tables.set(table, new Age());
    const { loadedRows, rejectedEvents, duplicateEvents, handOvers } = this.#figures;
    for (const counter of [loadedRows, rejectedEvents, duplicateEvents, handOvers]) counter.add(0, { table });
  }

  /** A series cannot be taken back, only be made no number. */
  #forget(table: string): void {
    this.#tables.delete(table);
    const { freshness, unloadedObjects } = this.#figures;
    for (const gauge of [freshness, unloadedObjects]) gauge.set(NaN, { table });
  }
}

function unloaded(reading: Reading | undefined, table: string): number {
  if (reading?.made.includes(table) !== true) return NaN;
  return reading.missing.get(table)?.objects ?? 0;
}

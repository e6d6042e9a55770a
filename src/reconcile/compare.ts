import type { Settings } from '../config/settings.js';
import { hourPrefix, parseObjectKey, type ObjectName } from '../keys.js';
import type { Parts } from '../open.js';
import type { Lake, LakeObject } from '../providers/lake.js';
import type { TableShape } from '../providers/warehouse.js';

/** A table, and since when what is stored must be in it. */
export interface OwedTable {
  readonly shape: TableShape;
  /** By the lake's `writtenAt`. */
  readonly owesFrom: Date;
}

/** A lake object beside the manifest, by the names of tables. */
export interface ComparedObject extends LakeObject, ObjectName {
  /** Tables that owe the object and have no good manifest line of it. */
  readonly missingIn: readonly string[];
  /** Tables that have it loaded by a lower version only. */
  readonly outdatedIn: readonly string[];
}

const pageSize = 1_000;

/**
 * *lake listing − manifest*: pages of the objects of all sources, each source in key order, from the hour of `from` on
 * (Unix milliseconds; from the beginning by default). The manifest is asked after the listing, so what is loaded
 * meanwhile is never called missing for it.
 */
export async function* compareLake(
  parts: Pick<Parts, 'lake' | 'warehouse'>,
  settings: Pick<Settings, 'sources'>,
  tables: readonly OwedTable[],
  from?: number,
): AsyncGenerator<ComparedObject[]> {
  for (const source of Object.keys(settings.sources)) {
    for await (const page of listPages(parts.lake, source, from)) {
      const found = await Promise.all(tables.map((table) => compareTable(parts, table, page)));
      yield page.map((object) => ({
        ...object,
        missingIn: found.filter(({ missing }) => missing.has(object.batch)).map(({ name }) => name),
        outdatedIn: found.filter(({ outdated }) => outdated.has(object.batch)).map(({ name }) => name),
      }));
    }
  }
}

async function compareTable(
  { warehouse }: Pick<Parts, 'warehouse'>,
  { shape, owesFrom }: OwedTable,
  page: readonly (LakeObject & ObjectName)[],
): Promise<{ name: string; missing: Set<string>; outdated: Set<string> }> {
  const owed = page.filter(({ writtenAt }) => writtenAt >= owesFrom).map(({ batch }) => batch);
  const ask = async (batches: string[], at: 'any version' | 'this version or higher'): Promise<Set<string>> =>
    new Set(batches.length === 0 ? [] : await warehouse.missing(shape, batches, at));
  // There is no lower version than the first.
  if (shape.version === 1) return { name: shape.name, missing: await ask(owed, 'any version'), outdated: new Set() };
  const all = page.map(({ batch }) => batch);
  const unloaded = await ask(all, 'any version');
  // What the table does not owe may have been loaded all the same, because somebody asked for it.
  const loaded = all.filter((batch) => !unloaded.has(batch));
  const missing = new Set(owed.filter((batch) => unloaded.has(batch)));
  return { name: shape.name, missing, outdated: await ask(loaded, 'this version or higher') };
}

async function* listPages(lake: Lake, source: string, from?: number): AsyncGenerator<(LakeObject & ObjectName)[]> {
  let page: (LakeObject & ObjectName)[] = [];
  for await (const object of lake.list(`raw/${source}/`, from === undefined ? undefined : hourPrefix(source, from))) {
    const name = parseObjectKey(object.key);
    if (name === undefined) continue;
    page.push({ ...object, ...name });
    if (page.length < pageSize) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

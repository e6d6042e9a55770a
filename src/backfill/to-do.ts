import type { BackfillMode, BackfillRange, ObjectToLoad, Position } from '../activities/types.js';
import { timeOfId } from '../ids.js';
import { keyBefore, parseObjectKey } from '../keys.js';
import type { Parts } from '../open.js';
import type { LakeObject } from '../providers/lake.js';
import type { Warehouse } from '../providers/warehouse.js';
import type { Table } from '../tables.js';

/** What a backfill is to do in one of its modes, from a position on. */
export interface ToDo {
  readonly table: Pick<Table, 'name' | 'shape' | 'since'>;
  readonly mode: BackfillMode;
  readonly range: BackfillRange;
  readonly after?: Position;
}

/** Some of the objects that are to be loaded; all keys up to `upTo` are dealt with. */
interface Stretch {
  readonly objects: readonly ObjectToLoad[];
  /** How many objects were looked at for it. */
  readonly looked: number;
  readonly upTo: Position;
}

const askedAtOnce = 1_000;
/** Of rejections, most of which are of objects that are named already. */
const rejectionsAtOnce = 100;

/**
 * Goes over the range, source after source in key order, and yields what is to be loaded; each stretch is judged by the
 * manifest as it is at that moment. Throws `TableMissing` or `Unavailable`.
 */
export async function* whatToDo(
  parts: Pick<Parts, 'lake' | 'warehouse'>,
  sources: readonly string[],
  toDo: ToDo,
): AsyncGenerator<Stretch> {
  const { after, range } = toDo;
  const stretches = toDo.mode === 'rejected' ? rejectedOf(parts, toDo) : unloadedOf(parts, toDo);
  for (const source of [...sources].sort()) {
    if (after !== undefined && source < after.source) continue;
    yield* stretches(source, after?.source === source ? after.key : keyBefore(source, range.from));
  }
}

type StretchesOf = (source: string, after: string) => AsyncGenerator<Stretch>;

/** Of `missing` and `replace`: lake − manifest. */
function unloadedOf({ lake, warehouse }: Pick<Parts, 'lake' | 'warehouse'>, { table, mode, range }: ToDo): StretchesOf {
  return async function* (source, after) {
    const judge = await judgeOf(warehouse, table, mode, range);
    let page: Candidate[] = [];
    let looked = 0;
    let last = after;
    for await (const { key, writtenAt } of lake.list(`raw/${source}/`, after)) {
      const object = objectOf(key);
      if (object === undefined || timeOfId(object.batch)! < range.from) continue;
      // Keys are in the order of hours, and within an hour in that of the batches' times.
      if (timeOfId(object.batch)! >= range.to) break;
      page.push({ object, writtenAt });
      looked++;
      last = key;
      if (page.length < askedAtOnce) continue;
      yield { objects: await judge(page), looked, upTo: { source, key } };
      page = [];
      looked = 0;
    }
    if (page.length > 0) yield { objects: await judge(page), looked, upTo: { source, key: last } };
  };
}

interface Candidate extends Pick<LakeObject, 'writtenAt'> {
  readonly object: ObjectToLoad;
}

async function judgeOf(
  warehouse: Warehouse,
  { name, shape, since }: ToDo['table'],
  mode: BackfillMode,
  { owed, before }: BackfillRange,
): Promise<(candidates: readonly Candidate[]) => Promise<ObjectToLoad[]>> {
  const owesFrom = owed ? (since ?? (await warehouse.owesFrom(name))) : new Date(0);
  const missing = async (
    candidates: readonly Candidate[],
    at: 'any version' | 'this version or higher',
    anew?: string,
  ): Promise<ReadonlySet<string>> => {
    const batches = candidates.map(({ object }) => object.batch);
    return new Set(batches.length === 0 ? [] : await warehouse.missing(shape, batches, at, anew));
  };
  return async (candidates) => {
    const owing = candidates.filter(({ writtenAt }) => writtenAt >= owesFrom);
    if (mode === 'missing') {
      const found = await missing(owing, 'any version');
      return owing.filter(({ object }) => found.has(object.batch)).map(({ object }) => object);
    }
    const outdated = await missing(candidates, 'this version or higher', before);
    // What was once loaded is made anew, though the table would not owe it.
    const never = await missing(
      candidates.filter((candidate) => !owing.includes(candidate) && outdated.has(candidate.object.batch)),
      'any version',
    );
    return candidates.map(({ object }) => object).filter(({ batch }) => outdated.has(batch) && !never.has(batch));
  };
}

/** Each object that has a rejection, once. */
function rejectedOf({ warehouse }: Pick<Parts, 'warehouse'>, { table, range }: ToDo): StretchesOf {
  return async function* (source, start) {
    for (let after = start; ;) {
      const want = { after, limit: rejectionsAtOnce, ...pick(range) };
      const keys = (await warehouse.rejections(table.name, want)).map(({ key }) => key);
      const objects: ObjectToLoad[] = [];
      for (const key of new Set(keys)) {
        const object = objectOf(key);
        if (object === undefined || timeOfId(object.batch)! < range.from) continue;
        if (object.source !== source || timeOfId(object.batch)! >= range.to) {
          if (objects.length > 0) yield { objects, looked: objects.length, upTo: { source, key: objects.at(-1)!.key } };
          return;
        }
        objects.push(object);
      }
      const last = keys.at(-1);
      if (last === undefined) return;
      yield { objects, looked: objects.length, upTo: { source, key: last } };
      after = last;
    }
  };
}

function pick({ reason, before }: BackfillRange): Pick<BackfillRange, 'reason' | 'before'> {
  return { ...(reason !== undefined && { reason }), ...(before !== undefined && { before }) };
}

function objectOf(key: string): ObjectToLoad | undefined {
  const name = parseObjectKey(key);
  return name && { key, source: name.source, batch: name.batch, events: name.events, sha256: name.hash };
}

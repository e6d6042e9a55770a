import { hourPrefix, parseObjectKey } from '../keys.js';
import { timeOfId } from '../ids.js';
import { TableMissing } from '../errors.js';
import type { TableShape } from '../providers/warehouse.js';
import { withHeartbeat } from './heartbeat.js';
import type { Dependencies } from './index.js';
import type { ObjectToLoad, Page, PageInput, Position, WorkerActivities } from './types.js';

/** What one page of a backfill may hold, and how many objects are looked at for it. */
const pageLimits = { objects: 100, events: 20_000, looked: 20_000, asked: 1_000 } as const;

/** *lake − manifest* for one table, from a position on. */
export function createNextPage(dependencies: Dependencies): WorkerActivities['nextPage'] {
  return (input) => withHeartbeat((signal) => findPage(dependencies, input, signal));
}

async function findPage(dependencies: Dependencies, input: PageInput, signal: AbortSignal): Promise<Page> {
  const { warehouse } = dependencies.parts;
  const table = await tableOf(dependencies, input.table);
  const owesFrom = input.range.owed ? (table.since ?? (await warehouse.owesFrom(input.table))) : new Date(0);
  const without = new Set(input.without);
  const found: ObjectToLoad[] = [];
  let candidates: ObjectToLoad[] = [];
  let looked = 0;
  let events = 0;
  /** All keys up to this one are dealt with. */
  let done: Position | undefined = input.after;

  /** Takes over those that are missing; true: the page is full, `done` says where. */
  const sift = async (): Promise<boolean> => {
    const batches = candidates.map(({ batch }) => batch);
    const missing = new Set(batches.length === 0 ? [] : await warehouse.missing(table.shape, batches, 'any version'));
    for (const object of candidates) {
      if (missing.has(object.batch) && !without.has(object.key)) {
        const full = found.length === pageLimits.objects || events + object.events > pageLimits.events;
        if (found.length > 0 && full) return true;
        found.push(object);
        events += object.events;
      }
      done = { source: object.source, key: object.key };
    }
    candidates = [];
    return false;
  };

  const sources = Object.keys(dependencies.settings.sources).sort();
  for (const source of sources.filter((name) => input.after === undefined || name >= input.after.source)) {
    const after = input.after?.source === source ? input.after.key : hourPrefix(source, input.range.from);
    for await (const { key, writtenAt } of dependencies.parts.lake.list(`raw/${source}/`, after)) {
      signal.throwIfAborted();
      const name = parseObjectKey(key);
      const time = name === undefined ? undefined : timeOfId(name.batch);
      if (name === undefined || time === undefined || time < input.range.from) continue;
      // Keys are in the order of hours, and within an hour in that of the batches' times.
      if (time >= input.range.to) break;
      looked++;
      if (writtenAt >= owesFrom)
        candidates.push({ key, source, batch: name.batch, events: name.events, sha256: name.hash });
      if (candidates.length < pageLimits.asked && looked < pageLimits.looked) continue;
      if (await sift()) return { objects: found, next: done! };
      done = { source, key };
      if (looked >= pageLimits.looked) return { objects: found, next: done };
    }
    if (await sift()) return { objects: found, next: done! };
  }
  return { objects: found };
}

async function tableOf(dependencies: Dependencies, name: string): Promise<{ shape: TableShape; since?: Date }> {
  const table = (await dependencies.tables()).find((one) => one.name === name);
  if (table === undefined) throw new TableMissing(`${name}: this worker's config has no such table`, { table: name });
  return table;
}

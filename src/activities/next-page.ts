import { whatToDo } from '../backfill/to-do.js';
import { atLeast } from './at-least.js';
import { withHeartbeat } from './heartbeat.js';
import type { Dependencies } from './index.js';
import type { ObjectToLoad, Page, PageInput, WorkerActivities } from './types.js';

/** What one page of a backfill may hold, and how many objects are looked at for it. */
const pageLimits = { objects: 100, events: 50_000, looked: 20_000 } as const;

/** What is to be loaded into one table, from a position on. */
export function createNextPage(dependencies: Dependencies): WorkerActivities['nextPage'] {
  return (input) => withHeartbeat((signal) => findPage(dependencies, input, signal));
}

async function findPage(dependencies: Dependencies, input: PageInput, signal: AbortSignal): Promise<Page> {
  const { table: name, mode = 'missing', range, after } = input;
  const known = (await dependencies.tables()).find((one) => one.name === name);
  const table = atLeast(input.version, known, name);
  const without = new Set(input.without);
  const page = { objects: [] as ObjectToLoad[], version: table.version };
  let events = 0;
  let looked = 0;
  let done = after;
  const toDo = { table, mode, range, ...(after && { after }) };
  for await (const stretch of whatToDo(dependencies.parts, Object.keys(dependencies.settings.sources), toDo)) {
    signal.throwIfAborted();
    for (const object of stretch.objects) {
      if (without.has(object.key)) continue;
      const full = page.objects.length === pageLimits.objects || events + object.events > pageLimits.events;
      if (page.objects.length > 0 && full) return { ...page, next: done! };
      page.objects.push(object);
      events += object.events;
      done = { source: object.source, key: object.key };
    }
    done = stretch.upTo;
    looked += stretch.looked;
    if (looked >= pageLimits.looked) return { ...page, next: done };
  }
  return page;
}

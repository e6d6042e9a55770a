import type { BackfillMode, BackfillRange, ObjectToLoad } from '../../src/activities/types.js';
import { whatToDo, type ToDo } from '../../src/backfill/to-do.js';
import type { Warehouse } from '../../src/providers/warehouse.js';
import { MemoryLake } from '../fakes/stores.js';

const start = Date.UTC(2026, 10, 24, 12);
const hourMs = 3_600_000;
const iso = (time: number): string => new Date(time).toISOString();

let lake: MemoryLake;
/** The good lines of a table at version 2: version, and when each was written. */
let lines: Map<string, { version: number; at: string }>;
let rejections: { key: string; line: number; reason: string; at: string }[];
let asked: Parameters<Warehouse['rejections']>[1][];
let owesFrom: Date;

beforeEach(() => {
  lake = new MemoryLake();
  lines = new Map();
  rejections = [];
  asked = [];
  owesFrom = new Date(0);
});

const warehouse = {
  owesFrom: () => Promise.resolve(owesFrom),
  missing: (_table, batches, at, anew = '') =>
    Promise.resolve(
      batches.filter((batch) => {
        const line = lines.get(batch);
        if (line === undefined || at === 'any version') return line === undefined;
        return !(line.version > 2 || (line.version === 2 && line.at >= anew));
      }),
    ),
  rejections: (_table, want) => {
    asked.push(want);
    const { reason = '', after = '', before = '9999', limit } = want;
    const found = rejections.filter((one) => one.key > after && one.at < before && one.reason.includes(reason));
    return Promise.resolve(found.sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, limit));
  },
} satisfies Partial<Warehouse> as unknown as Warehouse;

const all: BackfillRange = { from: 0, to: start + 1_000 * hourMs, owed: false };

async function toDo(mode: BackfillMode, range = all, more: Partial<ToDo> = {}): Promise<readonly ObjectToLoad[]> {
  const table = { name: 'visits', shape: { name: 'visits', version: 2, columns: [], cluster: [] } };
  const found: ObjectToLoad[] = [];
  const stretches = whatToDo({ lake, warehouse }, ['web', 'app'], { table, mode, range, ...more });
  for await (const { objects } of stretches) found.push(...objects);
  return found;
}

const batches = (objects: readonly ObjectToLoad[]): string[] => objects.map(({ batch }) => batch);
const line = (batch: string, version: number, at = iso(0)): unknown => lines.set(batch, { version, at });
function reject(batch: string, reason = 'bad', at = iso(0)): void {
  const key = [...lake.objects.keys()].find((one) => one.includes(batch))!;
  rejections.push({ key, line: rejections.length + 1, reason, at });
}

test('made anew is what lower versions loaded or none did, and nothing of this or a higher one', async () => {
  const [old, same, higher, never] = [0, 1, 2, 3].map((n) => lake.add(start + n));
  line(old!, 1);
  line(same!, 2);
  line(higher!, 3);
  expect(batches(await toDo('replace'))).toEqual([old, never]);
});

test('of what the table does not owe, only what it once loaded is made anew', async () => {
  owesFrom = new Date(start + 500);
  const [loaded, never, owed] = [lake.add(start), lake.add(start + 1), lake.add(start + 500)];
  line(loaded, 1);
  expect(batches(await toDo('replace', { ...all, owed: true }))).toEqual([loaded, owed]);
  // Whoever names hours means all that is in them.
  expect(batches(await toDo('replace'))).toEqual([loaded, never, owed]);
});

test('what this version loaded is made anew where it did so before the moment', async () => {
  const [before, since, higher] = [0, 1, 2].map((n) => lake.add(start + n));
  line(before!, 2, iso(start));
  line(since!, 2, iso(start + 10));
  line(higher!, 3, iso(start));
  expect(batches(await toDo('replace', { ...all, before: iso(start + 10) }))).toEqual([before]);
});

test('of rejected events each object comes once, source after source, within the range and by the reason', async () => {
  const early = lake.add(start - 2 * hourMs);
  const app = [0, 1, 2].map((n) => lake.add(start + n * hourMs));
  const web = lake.add(start, { source: 'web' });
  lake.add(start, { source: 'of-no-config' });
  for (const batch of [early, ...app, web])
    for (let n = 0; n < 120; n++) reject(batch, n === 7 ? 'price: too big' : 'bad');
  const range = { from: start, to: start + 2 * hourMs, owed: false };
  expect(batches(await toDo('rejected', range))).toEqual([app[0], app[1], web]);
  expect(batches(await toDo('rejected', { ...range, reason: 'price' }))).toEqual([app[0], app[1], web]);
  expect(await toDo('rejected', { ...range, reason: 'none has it' })).toEqual([]);
  // However many an object has, it is asked for once.
  expect(Math.max(...asked.map(({ limit }) => limit))).toBe(100);
});

test('what was rejected since the moment is not asked for again', async () => {
  const [before, since] = [lake.add(start), lake.add(start + 1)];
  reject(before, 'bad', iso(start));
  reject(since, 'bad', iso(start + 10));
  expect(batches(await toDo('rejected', { ...all, before: iso(start + 10) }))).toEqual([before]);
});

test.each(['missing', 'replace', 'rejected'] as const)('%s goes on after a position', async (mode) => {
  const app = [0, 1, 2].map((n) => lake.add(start + n));
  const web = lake.add(start, { source: 'web' });
  for (const batch of [...app, web]) reject(batch);
  const key = [...lake.objects.keys()][0]!;
  expect(batches(await toDo(mode, all, { after: { source: 'app', key } }))).toEqual([app[1], app[2], web]);
  expect(batches(await toDo(mode, all, { after: { source: 'web', key: 'raw/web/dt=9' } }))).toEqual([]);
});

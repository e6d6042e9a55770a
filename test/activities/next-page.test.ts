import type { Dependencies } from '../../src/activities/index.js';
import { createNextPage } from '../../src/activities/next-page.js';
import type { BatchRange, ObjectToLoad, Page, PageInput } from '../../src/activities/types.js';
import { keyBefore } from '../../src/keys.js';
import { asActivity } from '../fakes/activity.js';
import { MemoryLake, MemoryManifest } from '../fakes/stores.js';

const hourMs = 3_600_000;
const start = Date.UTC(2026, 10, 24, 12);
const all: BatchRange = { from: 0, to: start + 1_000 * hourMs, owed: false };

let lake: MemoryLake;
let manifest: MemoryManifest;
let sources: string[];
let since: Date | undefined;

beforeEach(() => {
  lake = new MemoryLake();
  manifest = new MemoryManifest(lake);
  manifest.make('visits');
  sources = ['app'];
  since = undefined;
});

function page(input: Partial<PageInput> = {}): Promise<Page> {
  const shape = { name: 'visits', version: 1, columns: [], cluster: [] };
  const dependencies = {
    settings: { sources: Object.fromEntries(sources.map((name) => [name, {}])) },
    parts: { lake, warehouse: manifest.warehouse },
    tables: () => Promise.resolve([{ name: 'visits', shape, since }]),
  } as unknown as Dependencies;
  return asActivity(() => createNextPage(dependencies)({ table: 'visits', range: all, without: [], ...input }));
}

/** All pages to the end, with those that are loaded on the way. */
async function pages(input: Partial<PageInput> = {}): Promise<Page[]> {
  const found: Page[] = [];
  for (let after: PageInput['after']; ;) {
    const next = await page({ ...input, ...(after && { after }) });
    found.push(next);
    for (const { batch } of next.objects) manifest.load('visits', batch);
    if (next.next === undefined) return found;
    after = next.next;
  }
}

const batchesOf = (found: readonly Page[]): string[] =>
  found.flatMap(({ objects }) => objects).map(({ batch }: ObjectToLoad) => batch);

test('what the manifest lacks is found, as its key names it', async () => {
  const [loaded, missing] = [lake.add(start), lake.add(start + 1, { events: 7 })];
  manifest.load('visits', loaded);
  const found = await page();
  expect(found.next).toBeUndefined();
  expect(found.objects).toEqual([
    {
      key: expect.stringContaining(missing) as string,
      source: 'app',
      batch: missing,
      events: 7,
      sha256: 'a'.repeat(32),
    },
  ]);
});

test('a page has at most 100 objects; the pages go over all sources, each object once', async () => {
  sources = ['app', 'app-eu', 'web'];
  const added = sources.flatMap((source) =>
    Array.from({ length: 130 }, (_, n) => lake.add(start + n * 1_000_000, { source })),
  );
  lake.add(start, { source: 'of-no-config' });
  const found = await pages();
  expect(Math.max(...found.map(({ objects }) => objects.length))).toBe(100);
  expect(batchesOf(found).toSorted()).toEqual(added.toSorted());
});

test('a page has at most 50,000 events, or one object alone', async () => {
  const events = [40_000, 11_000, 60_000, 25_000, 25_000, 1];
  events.forEach((count, n) => lake.add(start + n, { events: count }));
  const found = await pages();
  expect(found.map(({ objects }) => objects.map((object) => object.events))).toEqual([
    [40_000],
    [11_000],
    [60_000],
    [25_000, 25_000],
    [1],
  ]);
});

test('a range has its beginning and not its end', async () => {
  const added = Array.from({ length: 10 }, (_, n) => lake.add(start + n * 20 * 60_000));
  const range = { from: start + 3 * 20 * 60_000, to: start + 7 * 20 * 60_000, owed: false };
  expect(batchesOf(await pages({ range }))).toEqual(added.slice(3, 7));
  expect(lake.listedAfter[0]).toBe(keyBefore('app', range.from));
});

test('objects that were set aside are passed over', async () => {
  const added = Array.from({ length: 3 }, (_, n) => lake.add(start + n));
  const without = [...lake.objects.keys()].filter((key) => key.includes(added[1]!));
  expect(batchesOf([await page({ without })])).toEqual([added[0], added[2]]);
});

test('where only what is owed is asked for, what was stored before the table is not', async () => {
  manifest.make('visits', new Date(start + 500));
  lake.add(start, { writtenAt: start + 499 });
  const owed = lake.add(start + 1, { writtenAt: start + 500 });
  expect(batchesOf([await page({ range: { ...all, owed: true } })])).toEqual([owed]);
  expect((await page()).objects).toHaveLength(2);
  since = new Date(0);
  expect((await page({ range: { ...all, owed: true } })).objects).toHaveLength(2);
});

test('a page that looked at many objects and found none goes on, also to the next source', async () => {
  sources = ['a', 'b'];
  manifest.make('visits', new Date(start + 3_600_000));
  for (let n = 0; n < 20_500; n++) lake.add(start + n, { source: 'a' });
  const owed = lake.add(start + 2 * 3_600_000, { source: 'b' });
  const found = await pages({ range: { ...all, owed: true } });
  expect(batchesOf(found)).toEqual([owed]);
  expect(found.length).toBeGreaterThan(1);
});

test('the manifest is asked for at most 1,000 batches at once', async () => {
  for (let n = 0; n < 2_500; n++) manifest.load('visits', lake.add(start + n));
  const last = lake.add(start + 5_000);
  expect(batchesOf(await pages())).toEqual([last]);
  expect(manifest.largestQuestion).toBe(1_000);
});

test('a worker whose config has no such table says so, for another one to take it', async () => {
  await expect(page({ table: 'orders' })).rejects.toMatchObject({ name: 'TableMissing', where: { table: 'orders' } });
});

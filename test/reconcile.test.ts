import { z } from 'zod';

import type { Settings } from '../src/config/settings.js';
import { Unavailable } from '../src/errors.js';
import { reconcile, settleMs, type Reconciliation, type ReconcileOptions } from '../src/reconcile/reconcile.js';
import { defineTable, type Table } from '../src/tables.js';
import { MemoryQueue } from './fakes/queue.js';
import { MemoryLake, MemoryManifest } from './fakes/stores.js';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const now = Date.UTC(2026, 10, 25, 12);

const settings = {
  pipeline: 'app',
  sources: { app: {}, 'app-eu': {} },
  leaseMs: 30 * second,
  patienceMs: 10 * minute,
  surviveMs: 3 * day,
} as unknown as Settings;
const settle = settleMs(settings);
const longest = settings.patienceMs + settle;

function table(name: string, more: { version?: number; since?: Date } = {}): Table {
  return defineTable(name, { row: z.object({ a: z.string() }), rows: () => ({ a: '' }), ...more });
}

interface World {
  readonly lake: MemoryLake;
  readonly manifest: MemoryManifest;
  readonly secondary: MemoryQueue;
  readonly tables: readonly Table[];
  readonly run: (options?: ReconcileOptions) => Promise<Reconciliation>;
}

function world(...tables: Table[]): World {
  const lake = new MemoryLake();
  const manifest = new MemoryManifest(lake);
  const secondary = new MemoryQueue();
  for (const { name } of tables) manifest.make(name);
  const parts = { sources: { app: new MemoryQueue() }, secondary, lake, warehouse: manifest.warehouse };
  return {
    lake,
    manifest,
    secondary,
    tables,
    run: (options) => reconcile(parts, settings, tables, { now, ...options }),
  };
}

const ago = (ms: number): string => new Date(now - ms).toISOString();

test('an empty pipeline holds, up to what could not be listed yet', async () => {
  const { report, gaps } = await world(table('a')).run();
  expect(report).toEqual({
    ok: true,
    provedUntil: ago(settle),
    objects: { lake: 0, events: 0, underWay: 0 },
    tables: {
      a: {
        version: 1,
        objectsMissing: 0,
        objectsOutdated: 0,
        objectsUnreadable: 0,
        objectsGone: 0,
        events: 0,
        matched: 0,
        rows: 0,
        rejected: 0,
        duplicates: 0,
        conflicts: 0,
        rowsMissing: 0,
        rowsExtra: 0,
        rowsTwice: 0,
        rejectionsMissing: 0,
        rejectionsExtra: 0,
      },
    },
    deadLetters: 0,
  });
  expect(gaps).toEqual([]);
});

test('what is loaded into every table counts, of every source', async () => {
  const { lake, manifest, run } = world(table('a'), table('b'));
  for (const source of ['app', 'app-eu', 'another'])
    for (const at of [now - 2 * hour, now - minute]) {
      const batch = lake.add(at, { source, events: 7 });
      manifest.load('a', batch);
      manifest.load('b', batch);
    }
  const { report } = await run();
  expect(report).toMatchObject({ ok: true, objects: { lake: 4, events: 28, underWay: 0 } });
});

test.each([
  ['younger than settle', settle - second, { ok: true, proved: settle, missing: 0, underWay: 1 }],
  ['older than settle', settle + minute, { ok: true, proved: settle + minute, missing: 0, underWay: 1 }],
  ['as old as may be', longest, { ok: true, proved: longest, missing: 0, underWay: 1 }],
  ['too old', longest + 1, { ok: false, proved: longest, missing: 1, underWay: 0 }],
])('an object that a table misses, %s', async (_, age, expected) => {
  const { lake, manifest, run } = world(table('a'), table('b'));
  manifest.load('b', lake.add(now - hour, { writtenAt: now - age }));
  const { report } = await run();
  expect(report.ok).toBe(expected.ok);
  expect(report.provedUntil).toBe(ago(expected.proved));
  expect(report.objects.underWay).toBe(expected.underWay);
  expect(report.tables.a!.objectsMissing).toBe(expected.missing);
  expect(report.tables.b!.objectsMissing).toBe(0);
});

test('backfill is due beyond settle while the secondary is empty, else beyond patience', async () => {
  const { lake, manifest, secondary, run } = world(table('a'), table('b'));
  const young = lake.add(now - settle);
  const late = lake.add(now - settle - minute);
  const later = lake.add(now - 3 * hour - minute);
  for (const batch of [young, late, later]) manifest.load('b', batch);

  expect((await run()).gaps).toEqual([
    { table: 'a', from: now - 4 * hour, to: now, objects: 2, oldestMs: 3 * hour + minute },
  ]);
  secondary.leased = 1;
  expect((await run()).gaps).toEqual([
    { table: 'a', from: now - 4 * hour, to: now - 3 * hour, objects: 1, oldestMs: 3 * hour + minute },
  ]);
});

test('a secondary that tells late that it is empty may hold what came since', async () => {
  const { lake, secondary, run } = world(table('a'));
  lake.add(now - settle - minute);
  const emptyAt = (asOf: number) =>
    (secondary.backlog = () => Promise.resolve({ waiting: 0, leased: 0, asOf: new Date(asOf) }));
  emptyAt(Date.now() - 2 * minute);
  expect((await run()).gaps).toEqual([]);
  emptyAt(Date.now() - second);
  expect((await run()).gaps).toHaveLength(1);
});

test('a secondary that does not answer may hold anything', async () => {
  const { lake, secondary, run } = world(table('a'));
  lake.add(now - settle - minute);
  secondary.backlog = () => Promise.reject(new Unavailable('down'));
  expect((await run()).gaps).toEqual([]);
});

test('a table owes what was stored since it was made, or since it says', async () => {
  const { lake, manifest, run } = world(table('a'), table('b', { since: new Date(now - 3 * hour) }));
  manifest.make('a', new Date(now - hour));
  manifest.make('b', new Date(now - hour));
  for (const hours of [4, 2, 1]) lake.add(now - hours * hour - minute, { writtenAt: now - hours * hour });
  const { report } = await run();
  expect(report.tables.a!.objectsMissing).toBe(1);
  expect(report.tables.b!.objectsMissing).toBe(2);
});

test('what only a lower version loaded is outdated, and no alarm', async () => {
  const { lake, manifest, run } = world(table('a', { version: 3 }));
  const [first, second, third] = [3, 2, 1].map((hours) => lake.add(now - hours * hour));
  manifest.load('a', first!, 2);
  manifest.load('a', second!, 3);
  manifest.load('a', third!, 4);
  const { report } = await run();
  expect(report.ok).toBe(true);
  expect(report.tables.a).toMatchObject({ version: 3, objectsOutdated: 1, objectsMissing: 0 });
});

test('what a table does not owe and a lower version loaded is outdated too, and what none loaded is not missing', async () => {
  const since = new Date(now - hour);
  const { lake, manifest, run } = world(table('a', { version: 2, since }));
  const [asked] = [lake.add(now - 3 * hour), lake.add(now - 2 * hour)];
  manifest.load('a', asked, 1);
  expect((await run()).report.tables.a).toMatchObject({ objectsOutdated: 1, objectsMissing: 0 });
});

test('only a full comparison looks beyond what an outage may have held up', async () => {
  const { lake, run } = world(table('a'));
  lake.add(now - 5 * day);
  lake.add(now - 2 * day);
  expect((await run()).report.objects.lake).toBe(1);
  expect(lake.listedAfter).toEqual(['raw/app/dt=2026-11-21/hr=12/', 'raw/app-eu/dt=2026-11-21/hr=12/']);
  expect((await run({ full: true })).report.objects.lake).toBe(2);
});

test('a lake is compared page by page', async () => {
  const { lake, manifest, run } = world(table('a'));
  for (let at = 0; at < 2_500; at += 1) lake.add(now - hour + at);
  const progress: number[] = [];
  const { report } = await run({ onProgress: (objects) => progress.push(objects) });
  expect(report.tables.a!.objectsMissing).toBe(2_500);
  expect(progress).toEqual([1_000, 2_000, 2_500]);
  expect(manifest.largestQuestion).toBe(1_000);
  const stopped = AbortSignal.abort(new Error('enough'));
  await expect(run({ signal: stopped })).rejects.toThrow('enough');
});

test.each([
  [
    { rows: 10, removed: 2, rowsCounted: 7 },
    { rows: 7, rowsMissing: 1, rowsExtra: 0 },
  ],
  [
    { rows: 10, removed: 2, rowsCounted: 9 },
    { rows: 9, rowsMissing: 0, rowsExtra: 1 },
  ],
  [
    { rows: 10, rowsCounted: 10, rowsTwice: 1 },
    { rowsTwice: 1, rowsMissing: 0 },
  ],
  [{ unreadable: 1 }, { objectsUnreadable: 1 }],
  [
    { rejected: 3, cleared: 1, rejectionsCounted: 1 },
    { rejected: 1, rejectionsMissing: 1, rejectionsExtra: 0 },
  ],
  [
    { rejected: 3, cleared: 1, rejectionsCounted: 3 },
    { rejected: 3, rejectionsMissing: 0, rejectionsExtra: 1 },
  ],
])('an audit of %j does not hold', async (audit, expected) => {
  const { manifest, run } = world(table('a'), table('b'));
  manifest.audits('a', audit);
  const { report } = await run();
  expect(report.ok).toBe(false);
  expect(report.tables.a).toMatchObject(expected);
});

test('duplicates, conflicts and rejections are counted, and no alarm', async () => {
  const { manifest, run } = world(table('a'));
  manifest.audits('a', { rejected: 3, cleared: 1, rejectionsCounted: 2, duplicates: 4, conflicts: 5 });
  const { report } = await run();
  expect(report.ok).toBe(true);
  expect(report.tables.a).toMatchObject({ rejected: 2, duplicates: 4, conflicts: 5 });
});

test('a table that was never made does not hold, and hides no other', async () => {
  const { lake, manifest, run } = world(table('a'), table('b'));
  lake.add(now - hour);
  manifest.tables.delete('a');
  const { report, gaps } = await run();
  expect(report.ok).toBe(false);
  expect(report.tables.a!.problem).toMatch(/no table a.*catchment migrate/);
  expect(report.tables.b!.objectsMissing).toBe(1);
  expect(gaps.map(({ table }) => table)).toEqual(['b']);
});

test('dead letters are counted, and unknown where a queue does not answer', async () => {
  const { secondary, run } = world(table('a'));
  const dead = new MemoryQueue();
  secondary.deadLetters = dead;
  await dead.send([{ body: Buffer.from(''), attributes: {} }]);
  expect((await run()).report).toMatchObject({ ok: true, deadLetters: 1 });
  dead.backlog = () => Promise.reject(new Unavailable('down'));
  expect((await run()).report.deadLetters).toBeNull();
});

describe('an object that a manifest has and the lake no longer', () => {
  /** A day's objects, an hour apart, all loaded into `a`, and all but the last into `b`. */
  function dayOf(daysAgo: number, { lake, manifest }: World): string[] {
    const batches = Array.from({ length: 24 }, (_, n) => lake.add(now - daysAgo * day - n * hour - minute)).reverse();
    for (const [n, batch] of batches.entries()) {
      manifest.load('a', batch);
      if (n < 23 && manifest.tables.has('b')) manifest.load('b', batch);
    }
    return batches;
  }
  const lose = async ({ lake }: World, ...batches: string[]): Promise<void> =>
    lake.remove(batches.map((batch) => lake.keys.get(batch)!));

  test.each([
    ['the first', 0, { a: 1, b: 1 }],
    ['one in between', 11, { a: 1, b: 1 }],
    ['the last', 23, { a: 1, b: 0 }],
  ])('is a fault, be it %s of all', async (_, which, gone) => {
    const w = world(table('a'), table('b'));
    await lose(w, dayOf(0, w)[which]!);
    for (const options of [{}, { full: true }]) {
      const { report } = await w.run(options);
      expect(report.ok).toBe(false);
      expect({ a: report.tables.a!.objectsGone, b: report.tables.b!.objectsGone }).toEqual(gone);
    }
  });

  test('is a fault, though it was the only one', async () => {
    const w = world(table('a'), table('b'));
    const batch = w.lake.add(now - hour);
    w.manifest.load('a', batch);
    await lose(w, batch);
    const { report } = await w.run();
    expect(report).toMatchObject({ ok: false, objects: { lake: 0 } });
    expect(report.tables.a!.objectsGone).toBe(1);
  });

  test('is none where retention took the oldest days, and parts of the next', async () => {
    const w = world(table('a'));
    const [oldest, next, young] = [dayOf(40, w), dayOf(39, w), dayOf(1, w)] as [string[], string[], string[]];
    // The day of the calendar (UTC) that has the last of them has objects of the next, too.
    await lose(w, ...oldest, next[0]!, next[3]!);
    expect((await w.run({ full: true })).report).toMatchObject({ ok: true, tables: { a: { objectsGone: 0 } } });
    await lose(w, next[20]!, young[5]!);
    expect((await w.run({ full: true })).report).toMatchObject({ ok: false, tables: { a: { objectsGone: 2 } } });
    expect((await w.run()).report).toMatchObject({ ok: false, tables: { a: { objectsGone: 1 } } });
  });

  test('is told from one that was stored and loaded while the listing went on', async () => {
    const w = world(table('a'));
    for (let at = 0; at < 1_500; at += 1) w.manifest.load('a', w.lake.add(now - hour + at));
    const list = w.lake.list.bind(w.lake);
    let late: string | undefined;
    w.lake.list = async function* (prefix, after) {
      for await (const object of list(prefix, after)) {
        yield object;
        if (late !== undefined || prefix !== 'raw/app/') continue;
        late = w.lake.add(now - hour + 1_200);
        w.manifest.load('a', late);
        w.manifest.load('a', w.lake.add(now));
      }
    };
    const { report } = await w.run();
    expect(late).toBeDefined();
    expect(report).toMatchObject({ ok: true, objects: { lake: 1_500 }, tables: { a: { objectsGone: 0 } } });
  });

  test('is counted whatever their number', async () => {
    const w = world(table('a'));
    const batches = Array.from({ length: 2_500 }, (_, at) => w.lake.add(now - hour + at));
    for (const batch of batches) w.manifest.load('a', batch);
    await lose(w, ...batches.slice(0, 2_400));
    expect((await w.run()).report.tables.a!.objectsGone).toBe(2_400);
  });
});

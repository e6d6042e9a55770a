import type { Settings } from '../src/config/settings.js';
import { LakeReader, type LakeTotals } from '../src/status/lake-totals.js';
import type { StatusReport } from '../src/status/report.js';
import type { StatusReader } from '../src/status/status.js';
import { waitUntilDone, whatIsLeft } from '../src/status/wait.js';
import { MemoryLake, MemoryManifest } from './fakes/stores.js';

const empty = { waiting: 0, leased: 0, oldestSeconds: null };
const done: StatusReport = {
  pipeline: 'app',
  urls: {},
  queues: { app: empty, secondary: empty },
  lake: { objects: 3, events: 30 },
  tables: { a: { rows: 30, rejected: 0, freshnessSeconds: 0, objectsMissing: 0 } },
  workflows: 0,
  unanswered: [],
};

function scripted(...reports: readonly Partial<StatusReport>[]): StatusReader & { how: string[] } {
  const how: string[] = [];
  return {
    how,
    read(lake) {
      const report = { ...done, ...reports[Math.min(how.length, reports.length - 1)] };
      how.push(lake);
      return Promise.resolve(report);
    },
    close: () => Promise.resolve(),
  };
}

const waited = { timeoutMs: 60_000, everyMs: 0 };

test.each<[string, Partial<StatusReport>, string[]]>([
  ['nothing', {}, []],
  ['a message on a source', { queues: { app: { ...empty, waiting: 1 } } }, ['1 messages on app']],
  ['a leased doorbell', { queues: { secondary: { ...empty, leased: 2 } } }, ['2 messages on secondary']],
  [
    'a count of before',
    { queues: { app: { ...empty, asOf: '2026-01-01T11:59:59.000Z' } } },
    ['a count of app that is newer than 2026-01-01T11:59:59.000Z'],
  ],
  ['nothing', { queues: { app: { ...empty, asOf: '2026-01-01T12:00:00.000Z' } } }, []],
  ['a message', { queues: { app: { ...empty, waiting: 1, asOf: '2026-01-01T11:59:59.000Z' } } }, ['1 messages on app']],
  ['a workflow', { workflows: 1 }, ['1 workflows']],
  ['an object', { tables: { a: { ...done.tables.a!, objectsMissing: 4 } } }, ['4 objects in a']],
  ['a part', { unanswered: [{ part: 'temporal', error: 'down' }] }, ['temporal (down)']],
])('%s is left', (_, report, expected) => {
  expect(whatIsLeft({ ...done, ...report }, Date.parse('2026-01-01T12:00:00Z'))).toEqual(expected);
});

test('done is seen three times alike, the whole lake compared before it is believed', async () => {
  const busy = { workflows: 1 };
  const reader = scripted(busy, {}, busy, {}, {}, {});
  expect(await waitUntilDone(reader, waited)).toEqual({ report: done, waitingFor: [] });
  expect(reader.how).toEqual(['live', 'live', 'everything', 'live', 'everything', 'everything']);
});

test.each<Partial<StatusReport>>([
  { tables: { a: { ...done.tables.a!, rows: 31 } } },
  { lake: { objects: 4, events: 30 } },
])('what changes while nothing is left is not alike: %j', async (more) => {
  const reader = scripted({}, {}, more, more, more);
  const { report } = await waitUntilDone(reader, waited);
  expect(report).toEqual({ ...done, ...more });
  expect(reader.how).toHaveLength(5);
});

test('a queue that tells late is waited for, until it tells how it was once the wait had begun', async () => {
  const at = (asOf: Date): Partial<StatusReport> => ({ queues: { app: { ...empty, asOf: asOf.toISOString() } } });
  const now = at(new Date(Date.now() + 60_000));
  const reader = scripted(at(new Date(Date.now() - 1_000)), at(new Date(0)), now, now, now);
  expect((await waitUntilDone(reader, waited)).waitingFor).toEqual([]);
  expect(reader.how).toEqual(['live', 'live', 'live', 'everything', 'everything']);
});

test('a wait that takes too long says what for, even when a part hangs', async () => {
  const seen: string[][] = [];
  const onWaiting = (what: readonly string[]): number => seen.push([...what]);
  expect(await waitUntilDone(scripted({ workflows: 2 }), { timeoutMs: 20, everyMs: 5, onWaiting })).toEqual({
    report: { ...done, workflows: 2 },
    waitingFor: ['2 workflows'],
  });
  expect(seen[0]).toEqual(['2 workflows']);
  const hanging: StatusReader = { read: () => new Promise(() => undefined), close: () => Promise.resolve() };
  expect(await waitUntilDone(hanging, { timeoutMs: 5, everyMs: 1 })).toEqual({
    report: undefined,
    waitingFor: ['a first answer'],
  });
});

test('a wait that is over holds no process open', async () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length;
  const before = timers();
  await waitUntilDone(scripted({}), waited);
  expect(timers()).toBeLessThanOrEqual(before);
});

const hour = 3_600_000;
const settings = { sources: { app: {}, web: {} } } as unknown as Settings;
const shape = { name: 'a', version: 1, columns: [], cluster: [] };

function reading(lake: MemoryLake, manifest: MemoryManifest): (everything?: boolean) => Promise<LakeTotals> {
  const reader = new LakeReader();
  const parts = { lake, warehouse: manifest.warehouse };
  const owed = [{ shape, owesFrom: new Date(0) }];
  return (everything = false) => reader.read(parts, settings, owed, everything);
}

test('a live reading looks only at hours that can still change, and comes to the same', async () => {
  const lake = new MemoryLake();
  const manifest = new MemoryManifest(lake);
  manifest.make('a');
  const now = Date.now();
  const read = reading(lake, manifest);
  const old = [9, 8, 7].map((hours) => lake.add(now - hours * hour, { source: hours === 8 ? 'web' : 'app' }));
  manifest.load('a', old[0]!);
  manifest.load('a', old[1]!);

  const first = await read();
  expect(first).toMatchObject({ objects: 3, events: 30 });
  expect(first.missing.get('a')).toEqual({ objects: 1, oldest: new Date(now - 7 * hour) });
  expect(lake.listedAfter).toEqual([undefined, undefined]);

  lake.listedAfter.length = 0;
  manifest.load('a', old[2]!);
  const fresh = lake.add(now);
  expect((await read()).missing.get('a')).toEqual({ objects: 1, oldest: new Date(now) });
  expect(lake.listedAfter.every((after) => after !== undefined)).toBe(true);

  manifest.load('a', fresh);
  const live = await read();
  expect(live).toEqual({ objects: 4, events: 40, missing: new Map() });
  expect(await read(true)).toEqual(live);
});

test('what was stored late under an old hour is found when everything is read', async () => {
  const lake = new MemoryLake();
  const manifest = new MemoryManifest(lake);
  manifest.make('a');
  const read = reading(lake, manifest);
  manifest.load('a', lake.add(Date.now()));
  await read();
  lake.add(Date.now() - 30 * hour, { writtenAt: Date.now() });
  expect((await read()).objects).toBe(1);
  expect((await read(true)).missing.get('a')?.objects).toBe(1);
});

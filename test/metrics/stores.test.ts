import { z } from 'zod';

import { Unavailable } from '../../src/errors.js';
import { watchQueues } from '../../src/metrics/queues.js';
import { watchStores } from '../../src/metrics/stores.js';
import { localQueue } from '../../src/providers/local/queue.js';
import type { Queue } from '../../src/providers/queue.js';
import { defineTable, type Table } from '../../src/tables.js';
import { MemoryLake, MemoryManifest } from '../fakes/stores.js';
import { until } from '../until.js';
import { keptFigures } from './kept-figures.js';

const everyMs = 20;
const day = 86_400_000;
const settings = { sources: { app: localQueue() }, freshnessMs: 1_000, surviveMs: 3 * day };
const [visits, orders] = ['visits', 'orders'].map((name) =>
  defineTable(name, { row: z.object({ n: z.int() }), rows: () => [] }),
) as [Table, Table];

let stop: AbortController;
let series: ReturnType<typeof keptFigures>['series'];
let figures: ReturnType<typeof keptFigures>['figures'];
beforeEach(() => {
  stop = new AbortController();
  ({ figures, series } = keptFigures());
});
afterEach(() => stop.abort());

const freshness = (table: string): number => series.get(`catchment_freshness_seconds{table="${table}"}`) as number;
const up = (part: string): number => series.get(`catchment_part_up{part="${part}"}`) as number;

describe('lake and warehouse', () => {
  let lake: MemoryLake;
  let manifest: MemoryManifest;
  let tables: readonly Table[];
  let broken: 'tables' | 'warehouse' | 'lake' | undefined;

  beforeEach(() => {
    lake = new MemoryLake();
    manifest = new MemoryManifest(lake);
    for (const { name } of [visits, orders]) manifest.make(name);
    tables = [visits, orders];
    broken = undefined;
  });

  function start(): void {
    const failing = (part: typeof broken): Promise<void> =>
      broken === part ? Promise.reject(new Unavailable(`no ${part ?? ''}`)) : Promise.resolve();
    const { warehouse } = manifest;
    const parts = {
      warehouse: {
        ...warehouse,
        owesFrom: (table: string) => failing('warehouse').then(() => warehouse.owesFrom(table)),
      },
      lake: Object.assign(Object.create(lake) as MemoryLake, {
        async *list(prefix: string, after?: string) {
          await failing('lake');
          yield* lake.list(prefix, after);
        },
      }),
    };
    watchStores({ parts, settings, tables: () => failing('tables').then(() => tables) }, figures, stop.signal, everyMs);
  }

  test('all is loaded: ages are 0, and counters begin there', async () => {
    const batch = lake.add(Date.now() - 60_000);
    for (const { name } of [visits, orders]) manifest.load(name, batch);
    start();
    await until('a reading', () => up('lake') === 1);
    expect(Object.fromEntries(series)).toEqual({
      ...Object.fromEntries(['tables', 'warehouse', 'lake'].map((part) => [`catchment_part_up{part="${part}"}`, 1])),
      ...Object.fromEntries(
        ['visits', 'orders'].flatMap((table) => [
          [`catchment_freshness_seconds{table="${table}"}`, 0],
          [`catchment_unloaded_objects{table="${table}"}`, 0],
          [`catchment_loaded_rows{table="${table}"}`, 0],
          [`catchment_rejected_events{table="${table}"}`, 0],
          [`catchment_duplicate_events{table="${table}"}`, 0],
          [`catchment_hand_overs{table="${table}"}`, 0],
        ]),
      ),
      catchment_oldest_unloaded_object_seconds: 0,
    });
  });

  test('each table has the age of what it alone lacks', async () => {
    const old = lake.add(Date.now() - 7_200_000);
    lake.add(Date.now() - 60_000);
    manifest.load('visits', old);
    start();
    await until('a reading', () => up('lake') === 1);
    expect(freshness('visits')).toBeCloseTo(60, -1);
    expect(freshness('orders')).toBeCloseTo(7_200, -2);
    expect(series.get('catchment_oldest_unloaded_object_seconds')).toBeCloseTo(7_200, -2);
    expect(series.get('catchment_unloaded_objects{table="visits"}')).toBe(1);
    expect(series.get('catchment_unloaded_objects{table="orders"}')).toBe(2);
  });

  test('only what was stored within `survive` and a day is looked for', async () => {
    lake.add(Date.now() - 5 * day);
    start();
    await until('a reading', () => up('lake') === 1);
    expect(freshness('visits')).toBe(0);
    expect(lake.listedAfter).not.toContain(undefined);
  });

  test.each(['tables', 'warehouse', 'lake'] as const)(
    'while the %s do not answer, ages grow from what was known; they are right again when it is over',
    async (part) => {
      lake.add(Date.now() - 60_000);
      start();
      await until('a reading', () => up('lake') === 1);
      broken = part;
      await until('its silence', () => up(part) === 0);
      const before = freshness('visits');
      expect(before).toBeGreaterThanOrEqual(60);
      expect(series.get('catchment_unloaded_objects{table="visits"}')).toBeNaN();
      await until('a growing age', () => freshness('visits') > before + 0.1);
      expect(series.get('catchment_oldest_unloaded_object_seconds')).toBeGreaterThan(before);
      const asked = ['tables', 'warehouse', 'lake'];
      for (const earlier of asked.slice(0, asked.indexOf(part))) expect(up(earlier)).toBe(1);
      for (const later of asked.slice(asked.indexOf(part) + 1)) expect(up(later)).toBeNaN();

      broken = undefined;
      for (const { name } of [visits, orders])
        for (const key of lake.objects.keys()) manifest.load(name, /([0-9a-f-]{36})_/.exec(key)![1]!);
      await until('all loaded', () => freshness('visits') === 0 && up(part) === 1);
    },
  );

  test('before the first answer, too, an age grows: nothing is known to be loaded', async () => {
    broken = 'tables';
    start();
    await until('a growing age', () => (series.get('catchment_oldest_unloaded_object_seconds') as number) > 0.1);
    expect(up('tables')).toBe(0);
    expect([...series.keys()].filter((key) => key.includes('table='))).toEqual([]);
  });

  test('a table that the warehouse does not have grows older, one that the config has no more is no number', async () => {
    manifest.tables.delete('orders');
    start();
    await until('a growing age', () => freshness('orders') > 0.1);
    expect(freshness('visits')).toBe(0);
    tables = [visits];
    await until('no number', () => Number.isNaN(freshness('orders')));
  });

  test('a store that hangs is one that does not answer', async () => {
    start();
    await until('a reading', () => up('lake') === 1);
    manifest.tables.get('visits')!.owesFrom = new Promise(() => undefined) as unknown as Date;
    await until('its silence', () => up('warehouse') === 0);
    await until('a growing age', () => freshness('visits') > 0.1);
  });
});

describe('queues', () => {
  let answer: () => ReturnType<Queue['backlog']>;
  const oldest = (): number => series.get('catchment_queue_oldest_message_seconds{queue="app"}') as number;

  function start(): void {
    const queue = (backlog: Queue['backlog']): Queue => ({ backlog }) as Queue;
    const parts = { sources: { app: queue(() => answer()) }, secondary: queue(() => Promise.resolve(nothing)) };
    watchQueues(parts, settings, figures, stop.signal, everyMs);
  }
  const nothing = { waiting: 0, leased: 0 };

  test('what waits, for how long; while a queue does not answer its age grows, and its counts are no numbers', async () => {
    answer = () => Promise.resolve({ waiting: 3, leased: 2, oldestMs: 90_000 });
    start();
    await until('an answer', () => oldest() === 90);
    expect(series.get('catchment_queue_waiting_messages{queue="app"}')).toBe(3);
    expect(series.get('catchment_queue_leased_messages{queue="app"}')).toBe(2);
    expect(series.get('catchment_queue_oldest_message_seconds{queue="secondary"}')).toBe(0);
    answer = () => Promise.reject(new Unavailable('the queue is away'));
    await until('a growing age', () => oldest() > 90.1);
    expect(up('app')).toBe(0);
    expect(up('secondary')).toBe(1);
    expect(series.get('catchment_queue_waiting_messages{queue="app"}')).toBeNaN();
    answer = () => Promise.resolve(nothing);
    await until('an answer', () => oldest() === 0);
    expect(up('app')).toBe(1);
  });

  test('a queue that does not tell ages has none while something waits', async () => {
    answer = () => Promise.resolve({ waiting: 3, leased: 0 });
    start();
    await until('an answer', () => up('app') === 1);
    expect(oldest()).toBeNaN();
  });
});

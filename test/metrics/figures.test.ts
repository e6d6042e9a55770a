import { setTimeout as sleep } from 'node:timers/promises';

import { ApplicationFailure, CancelledFailure, noopMetricMeter } from '@temporalio/common';

import type { WorkerActivities } from '../../src/activities/types.js';
import { parseMetricsAddress, bindAddress } from '../../src/metrics/address.js';
import { createFigures } from '../../src/metrics/figures.js';
import { watchHeld } from '../../src/metrics/held.js';
import { measuredActivities, measuredIngest, reconcileFigures } from '../../src/metrics/measured.js';
import { watchProcess } from '../../src/metrics/process.js';
import { watch } from '../../src/metrics/watch.js';
import type { HeldBatch } from '../../src/starter/holding.js';
import { until } from '../until.js';
import { keptFigures } from './kept-figures.js';

const stop = new AbortController();
afterAll(() => stop.abort());

describe('--metrics-port', () => {
  test.each([
    ['9464', '0.0.0.0:9464'],
    ['0', '0.0.0.0:0'],
    ['127.0.0.1:9464', '127.0.0.1:9464'],
    ['[::1]:9464', '[::1]:9464'],
    ['65535', '0.0.0.0:65535'],
  ])('%s is %s', (text, address) => {
    expect(bindAddress(parseMetricsAddress(text))).toBe(address);
  });

  test.each(['', 'port', '65536', '-1', '1.5', ':9464', 'localhost:9464', '127.0.0.1', '127.0.0.1:', '9464:127.0.0.1'])(
    '%j is refused, with what to write',
    (text) => {
      expect(() => parseMetricsAddress(text)).toThrow('--metrics-port: write a port such as 9464');
    },
  );
});

describe('what is asked again and again', () => {
  test('an error and an answer that does not come are none, and nothing is asked twice at a time', async () => {
    const answers: (() => Promise<number>)[] = [
      () => Promise.resolve(1),
      () => Promise.reject(new Error('down')),
      () => sleep(100).then(() => 3),
    ];
    let [asked, pending, most] = [0, 0, 0];
    const told: (number | undefined)[] = [];
    const ended = new AbortController();
    const read = async (): Promise<number> => {
      most = Math.max(most, ++pending);
      return answers[asked++ % 3]!().finally(() => pending--);
    };
    const done = watch(read, (answer) => told.push(answer), 20, ended.signal);
    await until('the late answer', () => told.includes(3));
    ended.abort();
    await done;
    expect(most).toBe(1);
    expect(told.slice(0, 3)).toEqual([1, undefined, undefined]); // at least one turn passes while the third is late
  });

  test('a stop is not held up by a reading that hangs, and nothing is told after it', async () => {
    const told: unknown[] = [];
    const ended = new AbortController();
    const done = watch(
      () => new Promise(() => undefined),
      (answer) => told.push(answer),
      60_000,
      ended.signal,
    );
    ended.abort();
    await done;
    expect(told).toEqual([]);
  });
});

describe('activities', () => {
  const results = {
    load: () => Promise.resolve({ events: 9, matched: 8, rows: 5, removed: 0, duplicates: 2, rejected: 1, cleared: 0 }),
    handOver: () => Promise.resolve(),
  };
  const load = { load: 'x', table: 'visits', plan: { key: 'k', sha256: 's' }, live: true };

  test('a load and a hand-over are counted by table', async () => {
    const { figures, series } = keptFigures();
    const activities = measuredActivities(results as unknown as WorkerActivities, figures);
    await activities.load(load);
    await activities.load(load);
    await activities.handOver({ table: 'visits', range: { from: 0, to: 1, owed: true } });
    expect(Object.fromEntries(series)).toEqual({
      'catchment_loaded_rows{table="visits"}': 10,
      'catchment_rejected_events{table="visits"}': 2,
      'catchment_duplicate_events{table="visits"}': 4,
      'catchment_hand_overs{table="visits"}': 1,
    });
  });

  test('a failure is counted by its type, and thrown on; what is no failure of ours has no name of its own', async () => {
    const { figures, series } = keptFigures();
    const thrown = [
      ApplicationFailure.create({ type: 'Unavailable', message: 'secret' }),
      new TypeError('secret'),
      ApplicationFailure.create({ type: 'a value "of" an event', message: 'secret' }),
      new CancelledFailure('CANCELLED'),
      'secret',
      undefined,
    ] as Error[];
    for (const error of thrown) {
      const failing = { ...results, load: () => Promise.reject(error) } as unknown as WorkerActivities;
      await expect(measuredActivities(failing, figures).load(load)).rejects.toBe(error);
    }
    expect(Object.fromEntries(series)).toEqual({
      'catchment_activity_failures{activity="load",error="Unavailable"}': 1,
      'catchment_activity_failures{activity="load",error="Cancelled"}': 1,
      'catchment_activity_failures{activity="load",error="Error"}': 4,
    });
  });
});

test('a figure that the meter does not take costs no load', async () => {
  const refusing = new Proxy(noopMetricMeter, {
    get: () => () => ({
      add: () => {
        throw new Error('no such number');
      },
    }),
  });
  const result = { rows: -1, rejected: 0, duplicates: NaN };
  const activities = { load: () => Promise.resolve(result) } as unknown as WorkerActivities;
  const load = { load: 'x', table: 'visits', plan: { key: 'k', sha256: 's' }, live: true };
  expect(await measuredActivities(activities, createFigures(refusing)).load(load)).toBe(result);
});

test('a batch is counted once, when it is stored', async () => {
  const { figures, series } = keptFigures();
  const ends = ['returned', new Error('no Temporal'), 'stored'] as const;
  let run = 0;
  const ingest = measuredIngest(() => {
    const end = ends[run++]!;
    return typeof end === 'string' ? Promise.resolve(end) : Promise.reject(end);
  }, figures);
  const batch = { source: 'app', events: 7, bytes: 900 } as HeldBatch;
  expect(await ingest(batch)).toBe('returned');
  await expect(ingest(batch)).rejects.toThrow('no Temporal');
  expect([...series]).toEqual([]);
  expect(await ingest(batch)).toBe('stored');
  expect(Object.fromEntries(series)).toEqual({
    'catchment_stored_events{source="app"}': 7,
    'catchment_batch_events{source="app"}': [7],
    'catchment_batch_bytes{source="app"}': [900],
  });
});

test('a comparison’s result; a table that it could not count has no number of rows', () => {
  const { figures, series } = keptFigures();
  const numbers = { version: 1, objectsMissing: 0, objectsOutdated: 0, objectsUnreadable: 0, events: 0, matched: 0 };
  const sums = { objectsGone: 0, rowsMissing: 0, rowsExtra: 0, rowsTwice: 0, rejectionsMissing: 0, rejectionsExtra: 0 };
  const rest = { ...sums, duplicates: 0, conflicts: 0 };
  reconcileFigures(
    {
      ok: false,
      provedUntil: '2026-11-24T12:00:00.000Z',
      objects: { lake: 1, events: 10, underWay: 0 },
      tables: {
        visits: { ...numbers, ...rest, rows: 9, rejected: 1 },
        orders: { ...numbers, ...rest, rows: 0, rejected: 0, problem: 'the warehouse has no table orders' },
      },
      deadLetters: 0,
    },
    figures,
  );
  expect(Object.fromEntries(series)).toMatchObject({
    catchment_reconcile_ok: 0,
    catchment_reconcile_proved_until_timestamp_seconds: Date.parse('2026-11-24T12:00:00Z') / 1_000,
    'catchment_table_rows{table="visits"}': 9,
    'catchment_table_rejections{table="visits"}': 1,
    'catchment_table_rows{table="orders"}': NaN,
  });
});

test('what a poller holds', async () => {
  const { figures, series } = keptFigures();
  const poller = { held: { source: 'app', events: 3, bytes: 300 } };
  watchHeld([poller], figures, stop.signal);
  expect(series.get('catchment_stored_events{source="app"}')).toBe(0);
  await until('what is held', () => series.get('catchment_held_bytes{source="app"}') === 300);
  poller.held = { source: 'app', events: 0, bytes: 0 };
  await until('nothing held', () => series.get('catchment_held_events{source="app"}') === 0);
});

test('every stall of the event loop is seen, with its length, whenever it comes', async () => {
  const { figures, series } = keptFigures();
  watchProcess(figures, stop.signal);
  const lags = (): number[] => series.get('catchment_event_loop_lag_seconds') as number[];
  await until('a first second', () => series.has('catchment_event_loop_lag_seconds'));
  // The first comes right after a second was told, which a monitor that is reset then does not see.
  for (const seconds of [0.2, 0.3]) {
    const end = performance.now() + 1_000 * seconds;
    while (performance.now() < end);
    await until(`the stall of ${seconds} s`, () => lags().some((lag) => lag >= seconds - 0.02));
  }
  expect(series.get('process_resident_memory_bytes')).toBeGreaterThan(1e7);
  expect(series.get('catchment_event_loop_busy_ratio')).toBeLessThanOrEqual(1);
  expect(series.get('process_cpu_seconds')).toBeGreaterThanOrEqual(0);
});

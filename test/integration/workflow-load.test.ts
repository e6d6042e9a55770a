import { ApplicationFailure } from '@temporalio/common';

import {
  loadFilesGone,
  type BatchRange,
  type LoadInput,
  type ObjectToLoad,
  type TableLoadOutcome,
} from '../../src/activities/types.js';
import { Unavailable } from '../../src/errors.js';
import { newId, timeOfId } from '../../src/ids.js';
import type { loadBatch, LoadBatchResult } from '../../src/workflows/load-batch.js';
import { WorkflowHarness } from './temporal.js';
import { objects } from './workflow-objects.js';

let harness: WorkflowHarness;
beforeAll(async () => {
  harness = await WorkflowHarness.start();
}, 120_000);
afterAll(() => harness.stop());

/** How many rows the transform makes for each table; and what its load does, by how often it was asked. */
type Tables = Record<string, { rows: number; load?: (times: number) => Promise<unknown> }>;
const fine = (): Promise<void> => Promise.resolve();

interface Seen {
  readonly transforms: (readonly string[] | 'all')[];
  readonly loads: string[];
  readonly empty: string[][];
  readonly handed: { table: string; range: BatchRange }[];
  readonly discarded: string[];
}

/** Stands in for all activities of a load, and notes what is asked. */
function stage(tables: Tables, failed: readonly { table: string; error: string }[] = []): Seen {
  const seen: Seen = { transforms: [], loads: [], empty: [], handed: [], discarded: [] };
  const times = (table: string): number => [...seen.loads, ...seen.empty.flat()].filter((one) => one === table).length;
  harness.use({
    transform: ({ tables: asked }) => {
      seen.transforms.push(asked);
      const names = Object.keys(tables).filter((table) => asked === 'all' || asked.includes(table));
      const planned = names.map((table) => {
        return { table, plan: { key: `plan of ${table}`, sha256: '' }, rows: tables[table]!.rows, rejections: 0 };
      });
      return Promise.resolve({ folder: `load/${seen.transforms.length}/`, planned, failed, unreadable: [] });
    },
    load: async ({ table, live }) => {
      expect(live).toBe(true);
      seen.loads.push(table);
      await (tables[table]!.load ?? fine)(times(table));
      return { events: 0, matched: 0, rows: 0, removed: 0, duplicates: 0, rejected: 0, cleared: 0 };
    },
    loadEmpty: ({ loads }) => {
      seen.empty.push(loads.map(({ table }) => table));
      const outcome = ({ table }: LoadInput): Promise<TableLoadOutcome> =>
        (tables[table]!.load ?? fine)(times(table)).then(
          () => ({ table }),
          (error: unknown) => {
            const { message, type } = error as ApplicationFailure;
            return { table, error: message, ...(type === loadFilesGone && { filesGone: true }) };
          },
        );
      return Promise.all(loads.map(outcome));
    },
    handOver: (input) => {
      seen.handed.push(input);
      return Promise.resolve();
    },
    discard: ({ folder }) => {
      seen.discarded.push(folder);
      return Promise.resolve();
    },
  });
  return seen;
}

function load(loaded: readonly ObjectToLoad[] = objects(3), patienceMs = 60_000): Promise<LoadBatchResult> {
  return harness.client.workflow.execute<typeof loadBatch>('loadBatch', {
    workflowId: `load/test/${newId()}`,
    taskQueue: harness.taskQueue,
    args: [{ objects: loaded, patienceMs }],
  });
}

const gone = (): Promise<never> => Promise.reject(ApplicationFailure.nonRetryable('a file is gone', loadFilesGone));

test('every table is loaded: those with rows each by itself, the others together', async () => {
  const seen = stage({ visits: { rows: 5 }, orders: { rows: 3 }, clicks: { rows: 0 }, taps: { rows: 0 } });
  expect(await load()).toEqual({ loaded: 4, handedOver: [] });
  expect(seen.loads.toSorted()).toEqual(['orders', 'visits']);
  expect(seen.empty).toEqual([['clicks', 'taps']]);
  expect(seen).toMatchObject({ transforms: ['all'], handed: [], discarded: ['load/1/'] });
});

test('a table is handed over after its third failure, with just these objects; the others are loaded', async () => {
  const down = (): Promise<never> => Promise.reject(new Unavailable('visits is locked'));
  const seen = stage({ visits: { rows: 5, load: down }, orders: { rows: 3 } });
  const loaded = objects(3);
  expect(await load(loaded)).toEqual({ loaded: 1, handedOver: ['visits'] });
  expect(seen.loads.filter((table) => table === 'visits')).toHaveLength(3);
  const times = loaded.map(({ batch }) => timeOfId(batch)!);
  const range = { from: Math.min(...times), to: Math.max(...times) + 1, owed: false };
  expect(seen.handed).toEqual([{ table: 'visits', range }]);
});

test('one that failed only for a moment is loaded', async () => {
  const seen = stage({
    visits: { rows: 5, load: (times) => (times === 1 ? Promise.reject(new Error('busy')) : fine()) },
  });
  expect(await load()).toEqual({ loaded: 1, handedOver: [] });
  expect(seen.handed).toEqual([]);
});

test('tables that fail for good, in the transform or among the others, are handed over at once', async () => {
  const never = (): Promise<never> => Promise.reject(ApplicationFailure.nonRetryable('left to its backfill'));
  const seen = stage({ visits: { rows: 5, load: never }, orders: { rows: 0, load: never }, clicks: { rows: 0 } }, [
    { table: 'taps', error: 'its code hangs' },
  ]);
  expect(await load()).toEqual({
    loaded: 1,
    handedOver: expect.arrayContaining(['visits', 'orders', 'taps']) as unknown,
  });
  expect(seen.handed.map(({ table }) => table).toSorted()).toEqual(['orders', 'taps', 'visits']);
  expect(seen.loads).toEqual(['visits']);
});

test('where load files are gone, the objects are transformed again for those tables, and none is handed over', async () => {
  const seen = stage({
    visits: { rows: 5, load: (times) => (times === 1 ? gone() : fine()) },
    orders: { rows: 3 },
    clicks: { rows: 0, load: (times) => (times < 3 ? gone() : fine()) },
  });
  expect(await load()).toEqual({ loaded: 3, handedOver: [] });
  expect(seen.transforms).toEqual(['all', expect.arrayContaining(['visits', 'clicks']), ['clicks']]);
  expect(seen.loads.toSorted()).toEqual(['orders', 'visits', 'visits']);
  expect(seen.discarded).toEqual(['load/1/', 'load/2/', 'load/3/']);
});

test('where they are gone again and again, the doorbells go back', async () => {
  const seen = stage({ visits: { rows: 5, load: gone }, orders: { rows: 3 } });
  await expect(load()).rejects.toMatchObject({ cause: { message: expect.stringContaining('gone') as unknown } });
  expect(seen.transforms).toHaveLength(3);
  expect(seen.handed).toEqual([]);
});

test('a transform that cannot be made is tried for as long as the patience lasts; then the doorbells go back', async () => {
  const seen = stage({});
  let attempts = 0;
  harness.use({
    transform: () => {
      attempts++;
      return Promise.reject(new Error('tables.ts: line 3'));
    },
  });
  await expect(load(objects(1), 3_000)).rejects.toMatchObject({
    cause: { cause: { message: expect.stringContaining('tables.ts: line 3') as unknown } },
  });
  expect(attempts).toBeGreaterThan(1);
  expect(seen.handed).toEqual([]);
});

test('a load that hangs is handed over when the patience ends', async () => {
  const hangs = new AbortController();
  const seen = stage({
    visits: { rows: 5, load: () => new Promise((resolve) => hangs.signal.addEventListener('abort', resolve)) },
    orders: { rows: 3 },
  });
  expect(await load(objects(1), 2_000)).toEqual({ loaded: 1, handedOver: ['visits'] });
  expect(seen.handed).toHaveLength(1);
  hangs.abort();
});

test('the largest load stays small for Temporal', async () => {
  stage(Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`table_${n}`, { rows: n % 2 }])));
  const workflowId = `load/test/${newId()}`;
  const handle = await harness.client.workflow.start<typeof loadBatch>('loadBatch', {
    workflowId,
    taskQueue: harness.taskQueue,
    args: [{ objects: objects(100, 20_000), patienceMs: 60_000 }],
  });
  expect(await handle.result()).toEqual({ loaded: 100, handedOver: [] });
  const { events } = await handle.fetchHistory();
  const sizes = events!.map((event) => JSON.stringify(event).length);
  // As JSON, base64 and all.
  expect(Math.max(...sizes)).toBeLessThan(64_000 * 1.5);
});

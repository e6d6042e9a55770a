import { createHash } from 'node:crypto';

import { jest } from '@jest/globals';

import type { Dependencies } from '../../src/activities/index.js';
import { toFailure } from '../../src/activities/failures.js';
import { createLoads } from '../../src/activities/load.js';
import { rowsRefused, type LoadInput, type WorkerActivities } from '../../src/activities/types.js';
import { LakeCorrupt, LakeNotFound, RowsRefused, Unavailable } from '../../src/errors.js';
import type { Load, LoadResult } from '../../src/providers/warehouse.js';
import { asActivity } from '../fakes/activity.js';
import { ObjectLake } from '../fakes/object-lake.js';
import { until } from '../until.js';

const nothing: LoadResult = { events: 0, matched: 0, rows: 0, removed: 0, duplicates: 0, rejected: 0, cleared: 0 };

const patienceMs = 600_000;
let staging: ObjectLake;
/** What a table's loads do; without one they go well. */
let does: Record<string, (signal: AbortSignal) => Promise<LoadResult>>;
let loaded: Load[];
let activities: Pick<WorkerActivities, 'load' | 'loadEmpty'>;

beforeEach(() => {
  staging = new ObjectLake();
  does = {};
  loaded = [];
  const warehouse = {
    load: (load: Load, _staging: unknown, signal: AbortSignal) => {
      loaded.push(load);
      return does[load.table.name]?.(signal) ?? Promise.resolve(nothing);
    },
  };
  activities = createLoads({ settings: { patienceMs }, parts: { staging, warehouse } } as unknown as Dependencies);
});
afterEach(() => jest.restoreAllMocks());

async function planned(table: string, live = true): Promise<LoadInput> {
  const load: Load = {
    id: 'the load',
    table: { name: table, version: 1, columns: [], cluster: [] },
    existing: 'keep',
    batches: [],
  };
  const body = Buffer.from(JSON.stringify(load));
  const key = `load/attempt/${table}/plan.json`;
  await staging.put(key, body);
  return { load: 'the load', table, plan: { key, sha256: createHash('sha256').update(body).digest('hex') }, live };
}

const load = (input: LoadInput, attempt?: number, signal?: AbortSignal): Promise<LoadResult> =>
  asActivity(() => activities.load(input), { ...(attempt && { attempt }), ...(signal && { signal }) });

const fails = (): Promise<never> => Promise.reject(new Unavailable('the warehouse is down'));

function laterBy(ms: number): void {
  const now = Date.now.bind(Date);
  jest.spyOn(Date, 'now').mockImplementation(() => now() + ms);
}

test('loads the plan that was staged', async () => {
  await load(await planned('visits'));
  expect(loaded.map(({ id, table }) => [id, table.name])).toEqual([['the load', 'visits']]);
});

test('a live load leaves a table that failed a moment ago to its backfill; other loads do not', async () => {
  const [live, backfill, other] = [await planned('visits'), await planned('visits', false), await planned('orders')];
  does['visits'] = fails;
  await expect(load(live)).rejects.toThrow('the warehouse is down');
  await expect(load(live)).rejects.toMatchObject({ type: 'TableFailing', nonRetryable: true });
  expect(loaded).toHaveLength(1);
  // Its own second attempt, a backfill and other tables are tried.
  await expect(load(live, 2)).rejects.toThrow('the warehouse is down');
  await expect(load(backfill)).rejects.toThrow('the warehouse is down');
  await load(other);
  expect(loaded).toHaveLength(4);
});

test('a failure counts for 30 s, or until a load goes well', async () => {
  const [live, backfill] = [await planned('visits'), await planned('visits', false)];
  does['visits'] = fails;
  await expect(load(live)).rejects.toThrow('the warehouse is down');
  delete does['visits'];
  await load(backfill);
  await load(live);

  does['visits'] = fails;
  await expect(load(live)).rejects.toThrow('the warehouse is down');
  delete does['visits'];
  laterBy(29_000);
  await expect(load(live)).rejects.toMatchObject({ type: 'TableFailing' });
  jest.restoreAllMocks();
  laterBy(31_000);
  await load(live);
});

test("refused rows are no retry's, and say nothing against the table", async () => {
  const live = await planned('visits');
  does['visits'] = () => Promise.reject(new RowsRefused('a row was refused', { column: 'n' }));
  const failure = toFailure(await load(live).catch((error: unknown) => error));
  expect(failure).toMatchObject({ type: rowsRefused, nonRetryable: true });
  delete does['visits'];
  await load(live);
});

test('a live load leaves a table to its backfill while an earlier one hangs', async () => {
  const live = await planned('visits');
  const abort = new AbortController();
  does['visits'] = (signal) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Unavailable('given up'))));
  const hanging = load(live, 1, abort.signal);
  await until('the load', () => loaded.length === 1);
  delete does['visits'];
  await load(live);
  laterBy(61_000);
  await expect(load(live)).rejects.toMatchObject({ type: 'TableFailing' });
  await load(await planned('orders'));
  abort.abort();
  await expect(hanging).rejects.toThrow('given up');
  // It hung to the end: so would the next, for 30 s at least.
  await expect(load(live)).rejects.toMatchObject({ type: 'TableFailing' });
  jest.restoreAllMocks();
  laterBy(92_000);
  await load(live);
});

test('one that was given up early, or was a backfill’s, says nothing against the table', async () => {
  for (const [isLive, afterMs] of [
    [true, 59_000],
    [false, 61_000],
  ] as const) {
    const abort = new AbortController();
    does['visits'] = (signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Unavailable('given up'))));
    const before = loaded.length;
    const hanging = load(await planned('visits', isLive), 1, abort.signal);
    await until('the load', () => loaded.length > before);
    laterBy(afterMs);
    abort.abort();
    await expect(hanging).rejects.toThrow('given up');
    delete does['visits'];
    await load(await planned('visits'));
    jest.restoreAllMocks();
  }
});

test.each<[string, Error]>([
  ['is gone', new LakeNotFound('there is no load file load/attempt/visits/x.gz')],
  ['is another', new LakeCorrupt('the load file is another')],
])('a load file that %s is no fault of the table, and no load can mend it', async (_what, error) => {
  const live = await planned('visits');
  does['visits'] = () => Promise.reject(error);
  await expect(load(live)).rejects.toMatchObject({ type: 'LoadFilesGone', nonRetryable: true });
  delete does['visits'];
  await load(live);
});

test('so is a plan that is gone, or another', async () => {
  const live = await planned('visits');
  await expect(load({ ...live, plan: { ...live.plan, sha256: 'f'.repeat(64) } })).rejects.toMatchObject({
    type: 'LoadFilesGone',
  });
  staging.objects.clear();
  await expect(load(live)).rejects.toMatchObject({ type: 'LoadFilesGone', nonRetryable: true });
  expect(loaded).toEqual([]);
});

test('a staging lake that does not answer is another matter', async () => {
  const live = await planned('visits');
  staging.faults.get = () => Promise.reject(new Unavailable('staging is down'));
  await expect(load(live)).rejects.toMatchObject({ name: 'Unavailable' });
});

test('of the loads that wait for a table one is a backfill’s at most, and one that waits is not held against it', async () => {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  does['visits'] = () => opened.then(() => nothing);
  const backfills = await Promise.all(Array.from({ length: 4 }, () => planned('visits', false)));
  const [first, ...others] = backfills.map((input) => load(input));
  await until('the first', () => loaded.length === 1);
  const live = load(await planned('visits'));
  await until('the live one', () => loaded.length === 2);
  const other = load(await planned('orders', false));
  await until('the other table', () => loaded.length === 3);
  open();
  await Promise.all([first, ...others, live, other]);
  expect(loaded).toHaveLength(6);
});

describe('tables that the events do not concern', () => {
  const attempts = 3;
  const loadAll = async (tables: readonly string[], attempt: number): ReturnType<WorkerActivities['loadEmpty']> => {
    const loads = await Promise.all(tables.map((table) => planned(table)));
    return asActivity(() => activities.loadEmpty({ loads, attempts }), { attempt });
  };

  test('each is loaded, and has an outcome of its own', async () => {
    does['orders'] = fails;
    const outcomes = await loadAll(['visits', 'orders', 'clicks'], attempts);
    expect(outcomes).toEqual([
      { table: 'visits' },
      { table: 'orders', error: 'the warehouse is down' },
      { table: 'clicks' },
    ]);
  });

  test('one that fails is tried again before its failure is told', async () => {
    does['orders'] = fails;
    await expect(loadAll(['visits', 'orders'], 1)).rejects.toThrow('the warehouse is down');
    await expect(loadAll(['visits', 'orders'], 2)).rejects.toThrow('the warehouse is down');
    delete does['orders'];
    expect(await loadAll(['visits', 'orders'], 3)).toEqual([{ table: 'visits' }, { table: 'orders' }]);
  });

  test('what trying again cannot mend is told at once', async () => {
    does['orders'] = () => Promise.reject(new RowsRefused('a row was refused'));
    does['clicks'] = () => Promise.reject(new LakeNotFound('there is no load file'));
    expect(await loadAll(['visits', 'orders', 'clicks'], 1)).toEqual([
      { table: 'visits' },
      { table: 'orders', error: 'a row was refused' },
      { table: 'clicks', error: 'clicks: there is no load file', filesGone: true },
    ]);
    // That says nothing of the next rows.
    delete does['orders'];
    expect(await loadAll(['visits', 'orders'], 1)).toEqual([{ table: 'visits' }, { table: 'orders' }]);
  });
});

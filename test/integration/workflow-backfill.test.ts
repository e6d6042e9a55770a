import { ApplicationFailure } from '@temporalio/common';
import proto from '@temporalio/proto';

import { loadFilesGone, type BatchRange, type ObjectToLoad } from '../../src/activities/types.js';
import { newId, timeOfId } from '../../src/ids.js';
import { until } from '../until.js';
import { BackfilledTable, door, progress, refused, type Handle } from './backfilled-table.js';
import { WorkflowHarness } from './temporal.js';
import { objects } from './workflow-objects.js';

const cancelRequested = proto.temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED;

let harness: WorkflowHarness;
beforeAll(async () => {
  harness = await WorkflowHarness.start(150);
}, 120_000);
afterAll(() => harness.stop());

let table: BackfilledTable;
const use = (lake: readonly ObjectToLoad[]): BackfilledTable => (table = new BackfilledTable(harness, lake));
afterEach(() => table.end());

const everything: BatchRange = { from: 0, to: Date.now() * 2, owed: false };
const widened = (range = everything, workflowId?: string): Promise<Handle> => table.asked(range, workflowId);

test('loads all that is missing, page by page, and ends after a pass that found nothing', async () => {
  const table = use(objects(8));
  for (const { key } of table.lake.slice(0, 2)) table.manifest.add(key);
  const handle = await widened();
  expect(await handle.result()).toEqual({ objects: 6, events: 60 });
  expect(table.manifest.size).toBe(8);
  expect(table.loads.map((keys) => keys.length)).toEqual([3, 3]);
  expect(table.pages.at(-1)).toEqual({ table: 'visits', mode: 'missing', range: everything, without: [] });
  expect(table.staged).toBe(0);
});

test('a range that is added during a pass is loaded too, and a gap behind what was looked at', async () => {
  const [early, late] = [objects(4), objects(4)];
  const range = (of: readonly ObjectToLoad[]): BatchRange => {
    return { from: timeOfId(of[0]!.batch)!, to: timeOfId(of.at(-1)!.batch)! + 1, owed: false };
  };
  const table = use(early);
  const loading = door();
  table.onLoad = loading.pass;
  const handle = await widened(range(early));
  await until('a page', () => table.pages.length > 0);
  table.lake.push(...late);
  await handle.signal('widen', range(late));
  loading.open();
  expect(await handle.result()).toMatchObject({ objects: 8 });
});

test('a signal to one that is about to end is not lost', async () => {
  const table = use([]);
  const workflowId = `backfill/test/${newId()}`;
  for (let n = 0; n < 15; n++) {
    table.lake.push(...objects(1));
    const handle = await widened(everything, workflowId);
    await until('it is loaded', () => table.manifest.size === n + 1);
    if (n % 3 === 0) await handle.result();
  }
});

test('an object that fails keeps its error and waits; the others go on, and it is loaded once it can be', async () => {
  const table = use(objects(7));
  const bad = table.lake[1]!.key;
  table.onLoad = (keys) => (keys.includes(bad) ? refused() : Promise.resolve());
  const handle = await widened();
  await until('all others', () => table.manifest.size === 6);
  const state = await until('its error', async () => {
    const now = await progress(handle);
    return now.failed.length > 0 && now;
  });
  expect(state.failed).toEqual([{ key: bad, error: 'a row was refused' }]);
  expect((await handle.describe()).status.name).toBe('RUNNING');
  table.onLoad = () => Promise.resolve();
  await handle.signal('widen', everything); // does not wait for the pause between passes to end
  expect(await handle.result()).toMatchObject({ objects: 7 });
  expect(table.staged).toBe(0);
});

test('a table that is down is tried with one object, until it is up; then all is loaded', async () => {
  const table = use(objects(7));
  const tried: (readonly string[])[] = [];
  table.onLoad = (keys) => {
    tried.push(keys);
    return Promise.reject(new Error('the table is locked'));
  };
  const handle = await widened();
  const pending = async () => (await handle.describe()).raw.pendingActivities ?? [];
  // One page goes on and on with one object; the others wait for the next pass.
  await until('an attempt that goes on and on', async () => {
    const [only, ...others] = await pending();
    return others.length === 0 && only !== undefined && only.attempt! > 2;
  });
  const again = (): boolean => {
    const last = tried.slice(-2);
    return last.every((keys) => keys.length === 1 && keys[0] === last[0]![0]);
  };
  await until('the same object again and again', again);
  expect((await pending())[0]!.lastFailure!.message).toBe('the table is locked');
  table.onLoad = () => Promise.resolve();
  expect(await handle.result()).toMatchObject({ objects: 7 });
}, 120_000);

test('while it cannot be seen what is missing, it goes on looking', async () => {
  const table = use(objects(2));
  let looks = 0;
  table.onPage = () => (++looks < 4 ? Promise.reject(new Error('the warehouse is down')) : Promise.resolve());
  expect(await (await widened()).result()).toMatchObject({ objects: 2 });
});

test('an object that cannot be read is looked at once in a run, and does not keep it running', async () => {
  const table = use(objects(4));
  table.unreadable = [table.lake[2]!.key];
  expect(await (await widened()).result()).toEqual({ objects: 3, events: 30 });
  expect(table.loads.flat().filter((key) => key === table.unreadable[0])).toHaveLength(1);
});

test('one that was brought back is read again as soon as it is asked for, though another object keeps it running', async () => {
  const table = use(objects(7));
  const [lost, bad] = [table.lake[1]!.key, table.lake[5]!.key];
  table.unreadable = [lost];
  table.onLoad = (keys) => (keys.includes(bad) ? refused() : Promise.resolve());
  const handle = await widened();
  await until('all others', () => table.manifest.size === 5);
  table.unreadable = [];
  await handle.signal('widen', everything);
  await until('it is loaded', () => table.manifest.has(lost));
  expect((await handle.describe()).status.name).toBe('RUNNING');
});

test('load files that are gone are made anew', async () => {
  const table = use(objects(2));
  let loads = 0;
  table.onLoad = () =>
    ++loads === 1 ? Promise.reject(ApplicationFailure.nonRetryable('gone', loadFilesGone)) : Promise.resolve();
  expect(await (await widened()).result()).toMatchObject({ objects: 2 });
  expect(table.manifest.size).toBe(2);
});

test('paused it lets go of what is under way, says so, and loads each object when it is told to go on', async () => {
  const table = use(objects(7));
  const loading = door();
  table.onLoad = loading.pass;
  const handle = await widened();
  await until('pages', () => table.pages.length > 1);
  await handle.signal('pause');
  await until('that each is let go of', async () => {
    const { pendingActivities } = (await handle.describe()).raw;
    return (pendingActivities ?? []).every(({ state }) => state === cancelRequested);
  });
  expect(await progress(handle)).toMatchObject({ paused: true, objects: 0 });
  const before = table.pages.length;
  loading.open();
  await handle.signal('resume');
  await handle.result();
  expect(table.pages.length).toBeGreaterThan(before);
  expect(table.manifest.size).toBe(7);
});

test('it continues as new with all it knows, and loads each object once', async () => {
  const table = use(objects(90));
  const handle = await widened();
  const { runId } = await handle.describe();
  expect(await handle.result()).toEqual({ objects: 90, events: 900 });
  expect(table.loads.flat().toSorted()).toEqual(table.lake.map(({ key }) => key).toSorted());
  expect((await handle.describe()).runId).not.toBe(runId);
});

test('so does one whose page hangs, for as many signals as come; it is loaded then', async () => {
  const table = use(objects(5));
  const loading = door();
  table.onLoad = loading.pass;
  const handle = await widened();
  const { runId } = await handle.describe();
  await until('a page', () => table.pages.length > 0);
  await until('another run', async () => {
    await handle.signal('widen', everything);
    return (await handle.describe()).runId !== runId;
  });
  loading.open();
  await handle.result();
  expect(table.manifest.size).toBe(5);
}, 120_000);

test('so does one that is paused, for as many signals as come', async () => {
  const table = use(objects(5));
  const loading = door();
  table.onLoad = loading.pass;
  const handle = await widened();
  const { runId } = await handle.describe();
  await until('a page', () => table.pages.length > 0);
  await handle.signal('pause');
  loading.open();
  await until('another run', async () => {
    await handle.signal('widen', everything);
    return (await handle.describe()).runId !== runId;
  });
  expect(await progress(handle)).toMatchObject({ paused: true });
  await handle.signal('resume');
  await handle.result();
  expect(table.manifest.size).toBe(5);
}, 120_000);

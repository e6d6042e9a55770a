import type { ObjectToLoad } from '../../src/activities/types.js';
import { newId, timeOfId } from '../../src/ids.js';
import { until } from '../until.js';
import { BackfilledTable, door, progress, type Handle } from './backfilled-table.js';
import { WorkflowHarness } from './temporal.js';
import { objects } from './workflow-objects.js';

let harness: WorkflowHarness;
beforeAll(async () => {
  harness = await WorkflowHarness.start(150);
}, 120_000);
afterAll(() => harness.stop());

let table: BackfilledTable;
const use = (lake: readonly ObjectToLoad[]): BackfilledTable => (table = new BackfilledTable(harness, lake));
afterEach(() => table.end());

const start = async (input: object): Promise<Handle> => {
  const workflowId = `backfill/test/${newId()}`;
  await harness.client.workflow.start('backfill', { workflowId, taskQueue: harness.taskQueue, args: [input] });
  return table.follow(workflowId);
};
const modesOf = (): unknown[] => table.transforms.map(({ existing }) => existing);

test('made anew: every object that no line settles, by workers that know the version', async () => {
  use(objects(8));
  table.version = 3;
  const handle = await table.asked({ mode: 'replace', version: 2 });
  expect(await handle.result()).toEqual({ objects: 8, events: 80 });
  expect(table.pages[0]).toMatchObject({ mode: 'replace', version: 2, range: { from: 0, owed: true } });
  // Whoever looked knew version 3: with one of 2 it would be found again, for ever.
  expect(table.transforms).toEqual(
    table.transforms.map(() => expect.objectContaining({ existing: 'replace', version: 3 }) as unknown),
  );
  expect(table.pages.at(-1)).toMatchObject({ version: 3 });
});

test('a higher version that is asked for while a worker of a lower one looks is what the next pass asks for', async () => {
  use(objects(4));
  table.version = 2;
  const looking = door();
  table.onPage = looking.pass;
  const workflowId = `backfill/test/${newId()}`;
  await table.asked({ mode: 'replace', version: 2 }, workflowId);
  await until('a look', () => table.pages.length > 0);
  const handle = await table.asked({ mode: 'replace', version: 3 }, workflowId);
  looking.open();
  await handle.result();
  expect(table.pages.at(-1)).toMatchObject({ version: 3 });
});

test('made anew again: what was loaded before it was asked for, at this version too', async () => {
  use(objects(2));
  const before = Date.now();
  await (await table.asked({ mode: 'replace', again: true })).result();
  const { range } = table.pages[0]!;
  expect(Math.abs(Date.parse(range.before!) - before)).toBeLessThan(60_000);
  expect(table.transforms[0]).toMatchObject({ anew: range.before });
});

test('rejected events: those that were rejected before it was asked for, by any part of their reason', async () => {
  use(objects(4));
  table.rows = 1;
  const handle = await table.asked({ mode: 'rejected', reason: 'price' });
  expect(await handle.result()).toEqual({ objects: 4, events: 40 });
  expect(table.pages[0]!.range).toMatchObject({ reason: 'price', before: expect.any(String) as unknown });
  expect(modesOf()).toEqual(modesOf().map(() => 'rejected'));
});

test('rejected events that nothing changes are not asked for again in every pass', async () => {
  use(objects(2));
  // A load that clears nothing leaves them where they are found.
  table.onLoad = () => {
    queueMicrotask(() => table.manifest.clear());
    return Promise.resolve();
  };
  expect(await (await table.asked({ mode: 'rejected' })).result()).toEqual({ objects: 0, events: 0 });
  expect(table.pages).toHaveLength(2);
});

test('what is missing goes first, also where it is found missing while something is made anew', async () => {
  use(objects(30));
  const loading = door();
  table.onLoad = loading.pass;
  const handle = await table.asked({ mode: 'replace' });
  await until('pages', () => table.transforms.length === 3);
  await handle.signal('widen', {});
  loading.open();
  await handle.result();
  const modes = modesOf();
  expect(modes.slice(0, 3)).toEqual(['replace', 'replace', 'replace']);
  expect(modes.slice(3)).toEqual(modes.slice(3).map(() => 'keep'));
  expect(table.manifest.size).toBe(30);
});

test('what is missing does not wait for one that looks in vain, since no worker knows the version', async () => {
  use(objects(4));
  table.onPage = ({ mode }) => (mode === 'replace' ? Promise.reject(new Error('no such version')) : Promise.resolve());
  const handle = await table.asked({ mode: 'replace', version: 3 });
  await until('looks', () => table.pages.length > 1);
  await handle.signal('widen', {});
  await until('that it is loaded', () => table.manifest.size === 4);
  await handle.signal('cancel');
  await handle.result();
});

test('at most three pages are under way', async () => {
  use(objects(30));
  const loading = door();
  let [now, most] = [0, 0];
  table.onLoad = async () => {
    most = Math.max(most, ++now);
    await loading.pass();
    now--;
  };
  const handle = await table.asked({});
  await until('three loads', () => now === 3);
  expect(((await handle.describe()).raw.pendingActivities ?? []).length).toBe(3);
  loading.open();
  await handle.result();
  expect(most).toBe(3);
});

test('cancelled, it lets go of what it makes anew, and ends; what is missing is loaded all the same', async () => {
  use(objects(7));
  const loading = door();
  table.onLoad = loading.pass;
  const anew = await table.asked({ mode: 'replace' });
  await until('pages', () => table.transforms.length === 3);
  await anew.signal('cancel');
  expect(await anew.result()).toEqual({ objects: 0, events: 0 });
  const missing = await table.asked({});
  await until('pages', () => table.transforms.length === 6);
  await missing.signal('cancel');
  loading.open();
  expect(await missing.result()).toMatchObject({ objects: 7 });
});

test('of a table that is no more, everything can be cancelled', async () => {
  use(objects(7));
  table.onPage = () => Promise.reject(new Error('no worker has such a table'));
  const handle = await table.asked({});
  await until('looks', () => table.pages.length > 1);
  await handle.signal('cancel', { everything: true });
  expect(await handle.result()).toEqual({ objects: 0, events: 0 });
});

test('cancelled in Temporal itself, it ends whatever it does', async () => {
  use(objects(7));
  table.onPage = () => Promise.reject(new Error('the warehouse is down'));
  const looking = await table.asked({});
  await until('a look', () => table.pages.length > 0);
  await looking.cancel();
  await expect(looking.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });

  table.onPage = () => Promise.resolve();
  const loading = door();
  table.onLoad = loading.pass;
  const handle = await table.asked({});
  await until('pages', () => table.transforms.length > 0);
  await handle.cancel();
  await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
  loading.open();
});

test('started by hand with the table alone, it loads what the table is missing', async () => {
  use(objects(4));
  const handle = await start({ table: 'visits' });
  expect(await handle.result()).toMatchObject({ objects: 4 });
  expect(table.pages[0]).toMatchObject({ mode: 'missing', range: { from: 0, owed: true } });
});

test('started by hand it takes hours of the lake, and says what it does not understand', async () => {
  use(objects(4));
  const to = '2999-01-01';
  const handle = await start({
    table: 'visits',
    ask: [
      { from: '2026-01-01T05', to },
      { mode: 'replace', from: '2026-01-02', to },
    ],
  });
  await handle.result();
  expect(table.pages[0]).toMatchObject({ mode: 'missing', range: { from: Date.UTC(2026, 0, 1, 5), owed: false } });
  const wrong = await start({ table: 'visits', ask: { from: 'yesterday' } });
  await expect(wrong.result()).rejects.toMatchObject({
    cause: { message: 'from and to are hours of the lake, as 2026-11-24T13, or days' },
  });
});

test('a signal that is not understood is told, and stops nothing', async () => {
  use(objects(7));
  const loading = door();
  table.onLoad = loading.pass;
  const handle = await table.asked({});
  await until('pages', () => table.pages.length > 0);
  await handle.signal('widen', { mode: 'replacing' });
  await until('that it says so', async () => (await progress(handle)).notUnderstood?.includes('replacing'));
  await handle.signal('widen', { from: '2026-01-02', to: '2026-01-01' });
  await until('that it says so', async () => (await progress(handle)).notUnderstood?.includes('is not before'));
  await handle.signal('widen', {});
  await until('that it is understood', async () => (await progress(handle)).notUnderstood === undefined);
  loading.open();
  expect(await handle.result()).toMatchObject({ objects: 7 });
});

test('all modes go on over continue-as-new, each where it was', async () => {
  use(objects(60));
  const [first, last] = [timeOfId(table.lake[0]!.batch)!, timeOfId(table.lake.at(-1)!.batch)! + 1];
  table.rows = 1;
  const workflowId = `backfill/test/${newId()}`;
  const { runId } = await (await table.asked({ mode: 'rejected' }, workflowId)).describe();
  await table.asked({ mode: 'replace', from: first, to: last, version: 1 }, workflowId);
  const handle = await table.asked({}, workflowId);
  await handle.result();
  expect(table.manifest.size).toBe(60);
  expect((await handle.describe()).runId).not.toBe(runId);
  expect(new Set(table.pages.map(({ mode }) => mode))).toEqual(new Set(['missing', 'rejected', 'replace']));
});

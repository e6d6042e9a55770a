import { WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';

import { loadFilesGone, type BatchRange, type ObjectToLoad, type PageInput } from '../../src/activities/types.js';
import { newId, timeOfId } from '../../src/ids.js';
import type { backfill } from '../../src/workflows/index.js';
import { until } from '../until.js';
import { WorkflowHarness } from './temporal.js';
import { objects } from './workflow-objects.js';

interface State {
  readonly paused: boolean;
  readonly objects: number;
  readonly events: number;
  readonly passes: number;
  readonly failed: readonly { key: string; error: string }[];
  readonly unreadable: readonly string[];
}

const pageSize = 3;
let harness: WorkflowHarness;
beforeAll(async () => {
  harness = await WorkflowHarness.start(150);
}, 120_000);
afterAll(() => harness.stop());

/** A lake, and the manifest of one table; a test may put faults in the way. */
class Table {
  readonly lake: ObjectToLoad[];
  readonly manifest = new Set<string>();
  readonly pages: PageInput[] = [];
  /** Keys of each load that went well. */
  readonly loads: string[][] = [];
  discards = 0;
  onPage: (input: PageInput) => Promise<void> = () => Promise.resolve();
  onLoad: (keys: readonly string[]) => Promise<void> = () => Promise.resolve();
  unreadable: readonly string[] = [];
  #staged = new Map<string, readonly string[]>();

  constructor(lake: readonly ObjectToLoad[]) {
    this.lake = [...lake];
    harness.use({
      nextPage: async (input) => {
        this.pages.push(input);
        await this.onPage(input);
        const { after, range, without } = input;
        const rest = this.lake
          .filter(({ key, batch }) => {
            const time = timeOfId(batch)!;
            return time >= range.from && time < range.to && (after === undefined || key > after.key);
          })
          .sort((one, other) => (one.key < other.key ? -1 : 1));
        const missing = rest.filter(({ key }) => !this.manifest.has(key) && !without.includes(key));
        const found = missing.slice(0, pageSize);
        return missing.length <= pageSize
          ? { objects: found }
          : { objects: found, next: { source: 'app', key: found.at(-1)!.key } };
      },
      transform: ({ objects: given, tables }) => {
        expect(tables).toEqual(['visits']);
        const folder = `load/${newId()}/`;
        const keys = given.map(({ key }) => key);
        this.#staged.set(folder, keys);
        const plan = { key: folder, sha256: '' };
        return Promise.resolve({
          folder,
          planned: [{ table: 'visits', plan, rows: 1, rejections: 0 }],
          failed: [],
          unreadable: keys.filter((key) => this.unreadable.includes(key)),
        });
      },
      load: async ({ plan, live }) => {
        expect(live).toBe(false);
        const keys = this.#staged.get(plan.key)!;
        await this.onLoad(keys);
        this.loads.push([...keys]);
        for (const key of keys) if (!this.unreadable.includes(key)) this.manifest.add(key);
        return { events: 0, matched: 0, rows: 0, removed: 0, duplicates: 0, rejected: 0, cleared: 0 };
      },
      discard: ({ folder }) => {
        expect(this.#staged.delete(folder)).toBe(true);
        this.discards++;
        return Promise.resolve();
      },
    });
  }

  get staged(): number {
    return this.#staged.size;
  }
}

type Handle = WorkflowHandle<typeof backfill>;
const handles: Handle[] = [];
afterEach(async () => {
  for (const handle of handles.splice(0)) {
    await handle.terminate().catch((error: unknown) => {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    });
  }
});

const everything: BatchRange = { from: 0, to: Date.now() * 2, owed: false };

async function widened(range = everything, workflowId = `backfill/test/${newId()}`): Promise<Handle> {
  const started = await harness.client.workflow.signalWithStart<typeof backfill, [BatchRange]>('backfill', {
    workflowId,
    taskQueue: harness.taskQueue,
    args: [{ table: 'visits' }],
    signal: 'widen',
    signalArgs: [range],
  });
  // Without its run, so that it follows the workflow when it continues as new.
  const handle = harness.client.workflow.getHandle<typeof backfill>(started.workflowId);
  handles.push(handle);
  return handle;
}

const progress = (handle: Handle): Promise<State> => handle.query<State>('progress');
const refused = (): Promise<never> => Promise.reject(ApplicationFailure.nonRetryable('a row was refused'));

function door(): { pass: () => Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { pass: () => opened, open: () => open() };
}

test('loads all that is missing, page by page, and ends after a pass that found nothing', async () => {
  const table = new Table(objects(8));
  for (const { key } of table.lake.slice(0, 2)) table.manifest.add(key);
  const handle = await widened();
  expect(await handle.result()).toEqual({ objects: 6, events: 60 });
  expect(table.manifest.size).toBe(8);
  expect(table.loads.map((keys) => keys.length)).toEqual([3, 3]);
  expect(table.pages.at(-1)).toEqual({ table: 'visits', range: everything, without: [] });
  expect(table.staged).toBe(0);
});

test('a range that is added during a pass is loaded too, and a gap behind what was looked at', async () => {
  const [early, late] = [objects(4), objects(4)];
  const range = (of: readonly ObjectToLoad[]): BatchRange => {
    return { from: timeOfId(of[0]!.batch)!, to: timeOfId(of.at(-1)!.batch)! + 1, owed: false };
  };
  const table = new Table(early);
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
  const table = new Table([]);
  const workflowId = `backfill/test/${newId()}`;
  for (let n = 0; n < 15; n++) {
    table.lake.push(...objects(1));
    const handle = await widened(everything, workflowId);
    await until('it is loaded', () => table.manifest.size === n + 1);
    if (n % 3 === 0) await handle.result();
  }
});

test('an object that fails keeps its error and waits; the others go on, and it is loaded once it can be', async () => {
  const table = new Table(objects(7));
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
  const table = new Table(objects(7));
  const tried: (readonly string[])[] = [];
  table.onLoad = (keys) => {
    tried.push(keys);
    return Promise.reject(new Error('the table is locked'));
  };
  const handle = await widened();
  await until('an attempt that goes on and on', () => tried.length > 10);
  expect(tried.slice(-3).every((keys) => keys.length === 1 && keys[0] === table.lake[0]!.key)).toBe(true);
  const { raw } = await handle.describe();
  expect(raw.pendingActivities![0]!.lastFailure!.message).toBe('the table is locked');
  table.onLoad = () => Promise.resolve();
  expect(await handle.result()).toMatchObject({ objects: 7 });
});

test('while it cannot be seen what is missing, it goes on looking', async () => {
  const table = new Table(objects(2));
  let looks = 0;
  table.onPage = () => (++looks < 4 ? Promise.reject(new Error('the warehouse is down')) : Promise.resolve());
  expect(await (await widened()).result()).toMatchObject({ objects: 2 });
});

test('an object that cannot be read is looked at once in a run, and does not keep it running', async () => {
  const table = new Table(objects(4));
  table.unreadable = [table.lake[2]!.key];
  expect(await (await widened()).result()).toEqual({ objects: 3, events: 30 });
  expect(table.loads.flat().filter((key) => key === table.unreadable[0])).toHaveLength(1);
});

test('load files that are gone are made anew', async () => {
  const table = new Table(objects(2));
  let loads = 0;
  table.onLoad = () =>
    ++loads === 1 ? Promise.reject(ApplicationFailure.nonRetryable('gone', loadFilesGone)) : Promise.resolve();
  expect(await (await widened()).result()).toMatchObject({ objects: 2 });
  expect(table.manifest.size).toBe(2);
});

test('paused it does nothing, says so, and goes on when it is told to', async () => {
  const table = new Table(objects(7));
  const loading = door();
  table.onLoad = loading.pass;
  const handle = await widened();
  await until('a page', () => table.pages.length > 0);
  await handle.signal('pause');
  loading.open();
  await until('its page', () => table.manifest.size === 3);
  await until('that it waits', async () => {
    const { raw } = await handle.describe();
    return (raw.pendingActivities ?? []).length === 0 && (await progress(handle)).objects === 3;
  });
  expect(await progress(handle)).toMatchObject({ paused: true, objects: 3 });
  expect(table.manifest.size).toBe(3);
  await handle.signal('resume');
  expect(await handle.result()).toMatchObject({ objects: 7 });
});

test('it continues as new with all it knows, and loads each object once', async () => {
  const table = new Table(objects(90));
  const handle = await widened();
  const { runId } = await handle.describe();
  expect(await handle.result()).toEqual({ objects: 90, events: 900 });
  expect(table.loads.flat().toSorted()).toEqual(table.lake.map(({ key }) => key).toSorted());
  expect((await handle.describe()).runId).not.toBe(runId);
});

test('so does one that is paused, for as many signals as come', async () => {
  const table = new Table(objects(5));
  const loading = door();
  table.onLoad = loading.pass;
  const handle = await widened();
  const { runId } = await handle.describe();
  await until('a page', () => table.pages.length > 0);
  await handle.signal('pause');
  loading.open();
  await until('its page', async () => (await progress(handle)).objects === 3);
  await until('another run', async () => {
    await handle.signal('widen', everything);
    return (await handle.describe()).runId !== runId;
  });
  expect(await progress(handle)).toMatchObject({ paused: true, objects: 3 });
  await handle.signal('resume');
  expect(await handle.result()).toMatchObject({ objects: 5 });
}, 120_000);

import { WorkflowIdConflictPolicy } from '@temporalio/client';
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import proto from '@temporalio/proto';

import { createHandOver } from '../../src/activities/hand-over.js';
import type { Dependencies } from '../../src/activities/index.js';
import type { Settings } from '../../src/config/settings.js';
import { newId } from '../../src/ids.js';
import { searchAttribute, workflowId } from '../../src/names.js';
import { registerSearchAttributes } from '../../src/search-attributes.js';
import { ingestRun, loadRun, type StarterContext } from '../../src/starter/workflows.js';
import { until } from '../until.js';
import { WorkflowHarness } from './temporal.js';
import { found } from './temporal-reads.js';
import { objects } from './workflow-objects.js';

const { IndexedValueType } = proto.temporal.api.enums.v1;
const { INDEXED_VALUE_TYPE_KEYWORD: keyword, INDEXED_VALUE_TYPE_KEYWORD_LIST: list } = IndexedValueType;
const { INDEXED_VALUE_TYPE_INT: integer } = IndexedValueType;
const { pipeline, source, tables } = searchAttribute;

let harness: WorkflowHarness;
let context: StarterContext;
beforeAll(async () => {
  harness = await WorkflowHarness.start();
  const { client, taskQueue } = harness;
  const settings = { pipeline: 'test', leaseMs: 10_000, patienceMs: 60_000 } as Settings;
  context = { client, settings, taskQueue, poller: taskQueue };
}, 120_000);
afterAll(() => harness.stop());

/** From now on the server knows these, and no other of ours. */
async function know(attributes: Readonly<Record<string, number>>): Promise<void> {
  const { operatorService } = harness.connection;
  const known = async (): Promise<string[]> => {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace: 'default' });
    return Object.keys(customAttributes).filter((name) => name.startsWith('Catchment'));
  };
  const before = await known();
  if (before.length > 0)
    await operatorService.removeSearchAttributes({ namespace: 'default', searchAttributes: before });
  if (Object.keys(attributes).length > 0)
    await operatorService.addSearchAttributes({ namespace: 'default', searchAttributes: attributes });
  await until(
    'the attributes',
    async () => (await known()).toSorted().join() === Object.keys(attributes).sort().join(),
  );
}

/** A batch goes its whole way: stored, loaded into two tables, and handed over for a third. Returns its ingest's id. */
async function wholeWay(): Promise<string> {
  const [object] = objects(1) as [ReturnType<typeof objects>[0]];
  const { batch, events, key } = object;
  const reference = {
    v: 1,
    pipeline: 'test',
    lake: 'memory://lake',
    key,
    batch,
    sha256: object.sha256,
    events,
    bytes: 1,
  };
  harness.use({
    persist: () => Promise.resolve({ ...reference, v: 1 }),
    relay: () => Promise.resolve('stored'),
    transform: () => {
      const plan = { key: 'plan', sha256: '' };
      const planned = [
        { table: 'visits', plan, rows: 5, rejections: 0 },
        { table: 'nothing_for_it', plan, rows: 0, rejections: 0 },
      ];
      return Promise.resolve({
        folder: 'load/1/',
        planned,
        failed: [{ table: 'orders', error: 'no' }],
        unreadable: [],
      });
    },
    load: () => Promise.resolve({ events, matched: 0, rows: 5, removed: 0, duplicates: 0, rejected: 0, cleared: 0 }),
    loadEmpty: ({ loads }) => Promise.resolve(loads.map(({ table }) => ({ table }))),
    handOver: createHandOver({ ...context, temporal: context.client } as unknown as Dependencies),
    nextPage: () => Promise.resolve({ objects: [] }),
    discard: () => Promise.resolve(),
  });
  const held = { source: 'app', batch, events, bytes: 1, receipts: [], content: [], onStored: () => undefined };
  expect(await ingestRun(context)(held)).toBe('stored');
  expect(await loadRun(context)([object])).toEqual({ loaded: 2, handedOver: ['orders'] });
  const backfill = context.client.workflow.getHandle(workflowId.backfill('test', 'orders'));
  expect(await backfill.result()).toEqual({ objects: 0, events: 0 });
  return workflowId.ingest('test', 'app', batch);
}

/** What the server says to a start that carries them all, as ours first are. */
async function refusal(): Promise<string> {
  const start = context.client.workflow.start('ingestBatch', {
    workflowId: `refused/${newId()}`,
    taskQueue: 'nobody',
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
    typedSearchAttributes: new TypedSearchAttributes([
      { key: defineSearchAttributeKey(pipeline, 'KEYWORD'), value: 'test' },
      { key: defineSearchAttributeKey(source, 'KEYWORD'), value: 'app' },
      { key: defineSearchAttributeKey(tables, 'KEYWORD_LIST'), value: ['a', 'b'] },
    ]),
  });
  return start.then(
    () => 'taken',
    (error: unknown) => String((error as Error).cause),
  );
}

test.each([
  ['knows none of them', {}, 'no mapping'],
  ['has the pipeline as a number', { [pipeline]: integer, [source]: keyword, [tables]: list }, 'of type Int'],
  ['has the tables as one keyword', { [pipeline]: keyword, [source]: keyword, [tables]: keyword }, 'of type Keyword'],
  ['has lost one of them', { [pipeline]: keyword, [source]: keyword }, 'no mapping'],
])(
  'a server that %s stops nothing',
  async (_what, known, says) => {
    await know(known);
    await until('the refusal', async () => (await refusal()).includes(says));
    await wholeWay();
  },
  60_000,
);

test('with them, all is found: also the load, by the tables that it concerns', async () => {
  await know({});
  await registerSearchAttributes(harness.connection, 'default');
  await until('a start that is taken', async () => (await refusal()) === 'taken');
  const ingest = await wholeWay();
  const finds = async (query: string, kind: RegExp): Promise<void> => {
    await until(`one of ${query}`, async () => (await found(context.client, query)).some((id) => kind.test(id)));
  };
  await finds(`${pipeline} = "test" AND ${source} = "app"`, new RegExp(`^${ingest}$`));
  await finds(`${tables} = "visits" AND ${tables} = "orders"`, /^load\/test\//);
  await finds(`${pipeline} = "test" AND ${tables} = "orders"`, /^backfill\/test\/orders$/);
  expect(await found(context.client, `${tables} = "nothing_for_it"`)).toEqual([]);
}, 60_000);

test('a server that does not let them be made is not insisted on', async () => {
  await expect(registerSearchAttributes(harness.connection, 'no-such-namespace')).resolves.toBeUndefined();
});

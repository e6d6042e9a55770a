import { ApplicationFailure } from '@temporalio/common';
import type { WorkflowHandle } from '@temporalio/client';

import type { BatchRange, PlannedLoad, TransformInput, TransformResult } from '../../src/activities/types.js';
import { newId } from '../../src/ids.js';
import type { backfill, loadBatch, reconcile } from '../../src/workflows/index.js';
import { until } from '../until.js';
import { WorkflowHarness } from './temporal.js';
import { activitySummaries, currentDetails } from './temporal-reads.js';
import { objects } from './workflow-objects.js';

let harness: WorkflowHarness;
beforeAll(async () => {
  harness = await WorkflowHarness.start();
}, 120_000);
afterAll(() => harness.stop());

const loaded = { events: 0, matched: 0, rows: 0, removed: 0, duplicates: 0, rejected: 0, cleared: 0 };
const broken = (): Promise<never> => Promise.reject(ApplicationFailure.nonRetryable('the disk is full', 'Unavailable'));

/** A transform after which each table has so many rows. */
function transformed(tables: Readonly<Record<string, number>>) {
  return ({ tables: asked }: TransformInput): Promise<TransformResult> => {
    const planned = Object.entries(tables).map(([table, rows]): PlannedLoad => {
      return { table, plan: { key: 'plan', sha256: '' }, rows, rejections: rows > 0 ? 1 : 0 };
    });
    const wanted = planned.filter(({ table }) => asked === 'all' || asked.includes(table));
    return Promise.resolve({ folder: 'load/1/', planned: wanted, failed: [], unreadable: [] });
  };
}

async function says(handle: WorkflowHandle, text: string | RegExp): Promise<void> {
  let details = '';
  const said = async (): Promise<boolean> => {
    details = await currentDetails(handle);
    return typeof text === 'string' ? details === text : text.test(details);
  };
  await until('the details', said, 10_000).catch(() => expect(details).toEqual(text));
}

test('a load says what is being loaded, what is, and why a table is not', async () => {
  let go: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (go = resolve));
  harness.use({
    transform: transformed({ visits: 4_213, orders: 5, other: 0 }),
    load: async ({ table }) => {
      if (table === 'visits') await held;
      return table === 'orders' ? broken() : loaded;
    },
    loadEmpty: ({ loads }) => Promise.resolve(loads.map(({ table }) => ({ table }))),
    handOver: () => Promise.resolve(),
    discard: () => Promise.resolve(),
  });
  const handle = await harness.client.workflow.start<typeof loadBatch>('loadBatch', {
    workflowId: `load/test/${newId()}`,
    taskQueue: harness.taskQueue,
    args: [{ objects: objects(3, 2_000), patienceMs: 60_000 }],
  });
  const lines = [
    '6,000 events of 3 lake objects',
    '- orders: handed over to its backfill (the disk is full)',
    '- visits: being loaded',
    '- other: 0 rows, 0 rejections',
  ];
  await says(handle, lines.join('\n'));
  go();
  await handle.result();
  const done = ['- other: 0 rows, 0 rejections', '- visits: 4,213 rows, 1 rejection'];
  await says(handle, [...lines.slice(0, 2), ...done].join('\n'));
  expect(await activitySummaries(handle)).toEqual([
    'transform: transform 6,000 events of 3 lake objects',
    'load: load 4,213 rows, 1 rejection → visits',
    'load: load 5 rows, 1 rejection → orders',
    'loadEmpty: note 1 table that these events do not concern',
    'handOver: hand orders over to its backfill: the disk is full',
  ]);
}, 60_000);

test('a backfill says how far it is, and what waits for its next pass with which error', async () => {
  const [good, bad] = objects(2, 1_234) as [ReturnType<typeof objects>[0], ReturnType<typeof objects>[0]];
  let mended = false;
  const missing = new Set([good, bad]);
  harness.use({
    nextPage: () => Promise.resolve({ objects: [...missing] }),
    transform: (input) => {
      if (!mended && input.objects.some(({ key }) => key === bad.key)) return broken();
      for (const object of missing) if (input.objects.some(({ key }) => key === object.key)) missing.delete(object);
      return transformed({ visits: 7 })(input);
    },
    load: () => Promise.resolve(loaded),
    discard: () => Promise.resolve(),
  });
  const handle = await harness.client.workflow.signalWithStart<typeof backfill, [BatchRange]>('backfill', {
    workflowId: `backfill/test/${newId()}`,
    taskQueue: harness.taskQueue,
    args: [{ table: 'visits' }],
    signal: 'widen',
    signalArgs: [{ from: 1, to: 2, owed: false }],
  });
  const first = /^visits: 1 lake object with 1,234 events loaded in pass \d\nwhat is missing is being loaded\n/;
  const failed = `\n1 object failed, to be tried in the next pass:\n- ${bad.key}: the disk is full`;
  await says(handle, new RegExp(`${first.source}${failed.trimStart()}$`));
  mended = true;
  await handle.signal('widen', { from: 3, to: 4, owed: false });
  expect(await handle.result()).toEqual({ objects: 2, events: 2_468 });
  await says(handle, /^visits: 2 lake objects with 2,468 events loaded in pass \d$/);
  const summaries = await activitySummaries(handle);
  expect(summaries[0]).toBe('nextPage: look for what is to be loaded into visits');
  expect(summaries).toContain('transform: transform 1,234 events of 1 lake object for visits');
  expect(summaries).toContain('load: load 7 rows, 1 rejection → visits');
}, 60_000);

test('a comparison says what it found and what becomes of it', async () => {
  const provedUntil = '2026-11-24T12:00:00.000Z';
  const range = { from: 1, to: 2, owed: true };
  harness.use({
    compare: () =>
      Promise.resolve({
        ok: false,
        provedUntil,
        objects: { lake: 4_213, events: 1_000_000, underWay: 2 },
        gaps: [{ table: 'visits', objects: 1, range }],
      }),
    handOver: () => Promise.resolve(),
    sweep: () => Promise.resolve(),
  });
  const handle = await harness.client.workflow.start<typeof reconcile>('reconcile', {
    workflowId: `reconcile/${newId()}`,
    taskQueue: harness.taskQueue,
    args: [{ full: true }],
  });
  await handle.result();
  const compared = '4,213 lake objects of 1,000,000 events, 2 under way';
  const missing = '- visits is missing 1 lake object: its backfill runs';
  await says(handle, `NOT OK, proved until ${provedUntil}: ${compared}\n${missing}`);
  expect(await activitySummaries(handle)).toEqual([
    'compare: compare the lake with the manifests',
    'handOver: visits is missing 1 lake object: start its backfill',
  ]);
}, 60_000);

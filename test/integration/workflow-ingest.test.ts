import { ApplicationFailure } from '@temporalio/common';

import type { BatchRange } from '../../src/activities/types.js';
import { newId } from '../../src/ids.js';
import type { Reference } from '../../src/references.js';
import type { ingestBatch, reconcile } from '../../src/workflows/index.js';
import { WorkflowHarness } from './temporal.js';

let harness: WorkflowHarness;
beforeAll(async () => {
  harness = await WorkflowHarness.start();
}, 120_000);
afterAll(() => harness.stop());

const reference: Reference = {
  v: 1,
  pipeline: 'test',
  lake: 'memory://lake',
  key: 'raw/app/an-object',
  batch: 'a-batch',
  sha256: 'ab'.repeat(32),
  events: 5,
  bytes: 100,
};

function ingest(poller = harness.taskQueue): Promise<'stored' | 'returned'> {
  const batch = newId();
  return harness.client.workflow.execute<typeof ingestBatch>('ingestBatch', {
    workflowId: `ingest/test/app/${batch}`,
    taskQueue: harness.taskQueue,
    args: [{ source: 'app', batch, events: 5, bytes: 100, to: 'raw/app/', poller, leaseMs: 500 }],
  });
}

describe('ingestBatch', () => {
  test('rings for what was persisted', async () => {
    const rung: unknown[] = [];
    harness.use({
      persist: () => Promise.resolve(reference),
      relay: (input) => {
        rung.push(input.reference);
        return Promise.resolve('stored');
      },
    });
    expect(await ingest()).toBe('stored');
    expect(rung).toEqual([reference]);
  });

  test('goes on trying while lake or queue are down', async () => {
    let [persists, relays] = [0, 0];
    harness.use({
      persist: () => (++persists < 3 ? Promise.reject(new Error('the lake is down')) : Promise.resolve(reference)),
      relay: () => (++relays < 3 ? Promise.reject(new Error('the queue is down')) : Promise.resolve('stored')),
    });
    expect(await ingest()).toBe('stored');
    expect([persists, relays]).toEqual([3, 3]);
  });

  test.each(['stored', 'returned'] as const)(
    'a batch that its poller holds no more is looked for in the lake: %s',
    async (found) => {
      const asked: unknown[] = [];
      harness.use({
        persist: () => Promise.resolve('returned'),
        relay: (input) => {
          asked.push(Object.keys(input).sort());
          return Promise.resolve(found);
        },
      });
      expect(await ingest()).toBe(found);
      expect(asked).toEqual([['batch', 'source']]);
    },
  );

  test.each(['stored', 'returned'] as const)('so is one whose poller is dead: %s', async (found) => {
    harness.use({ relay: () => Promise.resolve(found) });
    expect(await ingest(`nobody/${newId()}`)).toBe(found);
  });

  test('and one that can never be persisted', async () => {
    harness.use({
      persist: () => Promise.reject(ApplicationFailure.nonRetryable('never')),
      relay: () => Promise.resolve('returned'),
    });
    expect(await ingest()).toBe('returned');
  });
});

describe('reconcile', () => {
  const range: BatchRange = { from: 1, to: 2, owed: true };
  const outcome = { ok: false, provedUntil: '2026-11-24T12:00:00.000Z', objects: { lake: 3, events: 30, underWay: 0 } };

  test('hands each table that misses something over to its backfill, and sweeps', async () => {
    const handed: unknown[] = [];
    let sweeps = 0;
    harness.use({
      compare: ({ full }) => {
        expect(full).toBe(true);
        const gaps = ['visits', 'orders'].map((table) => ({ table, objects: 1, range }));
        return Promise.resolve({ ...outcome, gaps });
      },
      handOver: (input) => {
        handed.push(input);
        return Promise.resolve();
      },
      sweep: () => {
        sweeps++;
        return Promise.reject(new Error('no matter'));
      },
    });
    const result = await harness.client.workflow.execute<typeof reconcile>('reconcile', {
      workflowId: `reconcile/${newId()}`,
      taskQueue: harness.taskQueue,
      args: [{ full: true }],
    });
    expect(result).toMatchObject(outcome);
    expect(handed).toEqual([
      { table: 'visits', range },
      { table: 'orders', range },
    ]);
    expect(sweeps).toBe(1);
  });
});

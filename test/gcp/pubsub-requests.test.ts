import fc from 'fast-check';

import type { PubsubCalls } from '../../src/providers/gcp/pubsub-calls.js';
import { inChunks } from '../../src/providers/gcp/pubsub-chunks.js';
import { ofNamedReceipts } from '../../src/providers/gcp/pubsub-outcomes.js';
import { Sends } from '../../src/providers/gcp/pubsub-sends.js';
import { text } from '../contract/queue-harness.js';

test('requests keep the order, hold no more items and bytes than they may, and no fewer than they can', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 60 });
  const limits = fc.record({ items: fc.integer({ min: 1, max: 9 }), bytes: fc.integer({ min: 20, max: 50 }) });
  fc.assert(
    fc.property(sizes, limits, (items, limit) => {
      const chunks = inChunks(items, { limit, own: 10, bytesOf: (size) => size });
      expect(chunks.flat()).toEqual(items);
      for (const [index, chunk] of chunks.entries()) {
        expect(chunk.length).toBeLessThanOrEqual(limit.items);
        const bytes = chunk.reduce((sum, size) => sum + size, 10);
        expect(bytes).toBeLessThanOrEqual(limit.bytes);
        const [next] = chunks[index + 1] ?? [];
        if (next !== undefined) expect(chunk.length === limit.items || bytes + next > limit.bytes).toBe(true);
      }
    }),
  );
});

test.each([
  [undefined, 16],
  ['tenant', 1],
])('of the group %s, %d requests are under way at once', async (group, atOnce) => {
  const underWay: (() => void)[] = [];
  const publish = (): Promise<void> => new Promise((end) => underWay.push(end));
  const message = { ...text('a'), ...(group !== undefined && { group }) };
  const sends = new Sends({ publish, topic: 'projects/p/topics/events' } as unknown as PubsubCalls);
  const sent = sends.send(Array.from({ length: 20_000 }, () => message));
  for (let ended = 0; ended < 20; ended++) {
    await new Promise(setImmediate);
    expect(underWay).toHaveLength(Math.min(20, ended + atOnce));
    underWay[ended]!();
  }
  const outcomes = await sent;
  expect(outcomes).toHaveLength(20_000);
  expect(outcomes.every(({ status }) => status === 'done')).toBe(true);
});

describe('receipts that an exactly-once subscription did not take', () => {
  const receipts = ['a', 'b', 'c', 'd'];

  test('are expired where that is for good, tried again where not; those that are not named are done', () => {
    const errorInfoMetadata = {
      b: 'PERMANENT_FAILURE_INVALID_ACK_ID',
      c: 'TRANSIENT_FAILURE_SERVICE_UNAVAILABLE',
      d: 'something that quotes HIDDEN',
    };
    const outcomes = ofNamedReceipts({ code: 9, errorInfoMetadata }, receipts);
    expect(outcomes).toMatchObject([
      { status: 'done' },
      { status: 'expired' },
      { status: 'failed', retry: true },
      { status: 'failed', retry: true },
    ]);
    expect((outcomes![2] as { error: Error }).error.message).toContain('TRANSIENT_FAILURE_SERVICE_UNAVAILABLE');
    expect((outcomes![3] as { error: Error }).error.message).not.toContain('HIDDEN');
  });

  test.each([undefined, {}, { errorInfoMetadata: null }, { errorInfoMetadata: { service: 'pubsub.googleapis.com' } }])(
    '%j names none: nothing is known to be done',
    (error) => {
      expect(ofNamedReceipts(error, receipts)).toBeUndefined();
    },
  );
});

import { CatchmentError, Unavailable } from '../../src/errors.js';
import type { PubsubCalls } from '../../src/providers/gcp/pubsub-calls.js';
import type { Facts } from '../../src/providers/gcp/pubsub-facts.js';
import { Settling } from '../../src/providers/gcp/pubsub-settling.js';
import { unavailable } from '../../src/providers/gcp/sdk.js';
import type { Outcome } from '../../src/providers/queue.js';

interface Call {
  readonly receipts: readonly string[];
  readonly end: () => void;
  readonly fail: (error: Error) => void;
}

/** Calls under way, of each kind in the order in which they were made, each of which ends as a test says. */
let acknowledging: Call[];
let extending: Call[];
let settling: Settling;
let isExact: boolean;

beforeEach(() => {
  isExact = false;
  [acknowledging, extending] = [[], []];
  const underWay = (calls: Call[]) => (receipts: readonly string[]) =>
    new Promise<void>((end, fail) => calls.push({ receipts, end, fail }));
  const calls = {
    subscription: 'projects/p/subscriptions/events',
    acknowledge: underWay(acknowledging),
    extend: underWay(extending),
    failure: (error: unknown, doing: string, permission: string) => unavailable(error, { doing, permission }),
  };
  const facts = { deliversExactlyOnce: () => Promise.resolve(isExact) };
  settling = new Settling(calls as unknown as PubsubCalls, facts as unknown as Facts);
});

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const receipts = (count: number): string[] => Array.from({ length: count }, (_, index) => `receipt ${index}`);
const grpc = (code: number): Error => Object.assign(new Error('HIDDEN'), { code });
const statuses = (outcomes: readonly Outcome[], ...ranges: readonly [number, number][]): Set<string>[] =>
  ranges.map(([from, to]) => new Set(outcomes.slice(from, to).map(({ status }) => status)));

test('acknowledgements do not wait for extensions, nor more than sixteen calls of a kind at a time for each other', async () => {
  const extended = settling.extend(receipts(20_000), 60);
  await settled();
  expect(extending).toHaveLength(16);
  const acknowledged = settling.acknowledge(['one']);
  await settled();
  acknowledging[0]!.end();
  expect(await acknowledged).toEqual([{ status: 'done' }]);
  for (let ended = 0; ended < 20; ended++) {
    extending[ended]!.end();
    await settled();
  }
  expect(extending).toHaveLength(20);
  expect(await extended).toHaveLength(20_000);
});

test('a hundred receipts go in a call of an exactly-once subscription, whose answer may have to name all', async () => {
  isExact = true;
  const acknowledged = settling.acknowledge(receipts(250));
  await settled();
  expect(acknowledging.map((call) => call.receipts.length)).toEqual([100, 100, 50]);
  for (const { end } of acknowledging) end();
  expect(await acknowledged).toHaveLength(250);
});

test('a call that fails is a failure of its own receipts alone, each to be tried again', async () => {
  const acknowledged = settling.acknowledge(receipts(2_500));
  await settled();
  acknowledging[0]!.end();
  acknowledging[1]!.fail(grpc(7));
  acknowledging[2]!.end();
  const outcomes = await acknowledged;
  expect(statuses(outcomes, [0, 1_000], [1_000, 2_000], [2_000, 2_500])).toEqual([
    new Set(['done']),
    new Set(['failed']),
    new Set(['done']),
  ]);
  const { error, retry } = outcomes[1_000] as { error: Error; retry: boolean };
  expect(retry).toBe(true);
  expect(error).toBeInstanceOf(Unavailable);
  expect(error.message).toBe(
    'acknowledging on projects/p/subscriptions/events: PERMISSION_DENIED; allow pubsub.subscriptions.consume to who runs this',
  );
});

test('what can never succeed is no failure to try again', async () => {
  const extended = settling.extend(['one'], 60);
  await settled();
  extending[0]!.fail(new CatchmentError('closed'));
  expect(await extended).toMatchObject([{ status: 'failed', retry: false, error: { message: 'closed' } }]);
});

test('who is no receipt is sought in halves, in their order, and a half that fails otherwise fails alone', async () => {
  const acknowledged = settling.acknowledge(['a', 'b', 'none', 'd', 'e']);
  for (const [asked, end] of [
    [['a', 'b', 'none', 'd', 'e'], grpc(3)],
    [['a', 'b', 'none'], grpc(3)],
    [['a', 'b'], undefined],
    [['none'], grpc(3)],
    [['d', 'e'], grpc(7)],
  ] as const) {
    await settled();
    const call = acknowledging.pop()!;
    expect(call.receipts).toEqual(asked);
    if (end === undefined) call.end();
    else call.fail(end);
  }
  const outcomes = await acknowledged;
  expect(outcomes.map(({ status }) => status)).toEqual(['done', 'done', 'expired', 'failed', 'failed']);
});

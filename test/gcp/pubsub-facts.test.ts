import { jest } from '@jest/globals';

import { Unavailable } from '../../src/errors.js';
import type { Subscription } from '../../src/providers/gcp/pubsub-calls.js';
import { Facts } from '../../src/providers/gcp/pubsub-facts.js';

interface Asked {
  readonly answer: (found: Subscription | undefined) => void;
  readonly fail: () => void;
}

afterEach(() => jest.restoreAllMocks());

/** A subscription that is looked at again at every question, unless said otherwise, and answers when it is told to. */
function asking(askEveryMs = -1): { facts: Facts; asked: Asked[] } {
  const asked: Asked[] = [];
  const calls = {
    settings: { topic: 'a', subscription: 'b', ordered: false, exactlyOnce: false },
    findSubscription: () =>
      new Promise<Subscription | undefined>((answer, reject) =>
        asked.push({ answer, fail: () => reject(new Unavailable('looking at it')) }),
      ),
  };
  return { facts: new Facts(calls, askEveryMs), asked };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('what a subscription says of itself', () => {
  it('is waited for once, and never again', async () => {
    const { facts, asked } = asking();
    const first = facts.hidesFor(60_000);
    asked[0]!.answer({ ackDeadlineSeconds: 60 });
    expect(await first).toBe(true);
    // None of these is answered.
    expect(await facts.hidesFor(60_000)).toBe(true);
    expect(await facts.hidesFor(30_000)).toBe(false);
    expect(asked).toHaveLength(3);
  });

  it('is what was said last', async () => {
    const { facts, asked } = asking();
    const first = facts.deliversExactlyOnce();
    asked[0]!.answer({ enableExactlyOnceDelivery: false });
    expect(await first).toBe(false);
    await facts.deliversExactlyOnce();
    asked[1]!.answer({ enableExactlyOnceDelivery: true });
    await settled();
    expect(await facts.deliversExactlyOnce()).toBe(true);
  });

  it('stays as it was known where asking again fails, and is nothing where asking fails at first', async () => {
    const { facts, asked } = asking();
    const first = facts.hidesFor(60_000);
    asked[0]!.fail();
    expect(await first).toBe(false);
    await facts.hidesFor(60_000);
    asked[1]!.answer({ ackDeadlineSeconds: 60 });
    await settled();
    expect(await facts.hidesFor(60_000)).toBe(true);
    asked[2]!.fail();
    await settled();
    expect(await facts.hidesFor(60_000)).toBe(true);
  });

  it('is asked for once a minute, however often it is needed', async () => {
    const { facts, asked } = asking(60_000);
    const first = facts.hidesFor(60_000);
    asked[0]!.answer({ ackDeadlineSeconds: 60 });
    expect(await first).toBe(true);
    await Promise.all([facts.hidesFor(60_000), facts.deliversExactlyOnce(), facts.hidesFor(60_000)]);
    expect(asked).toHaveLength(1);
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + 61_000);
    await Promise.all([facts.hidesFor(60_000), facts.deliversExactlyOnce()]);
    expect(asked).toHaveLength(2);
  });

  it('is of whole seconds: a lease is never shorter than was asked for', async () => {
    const { facts, asked } = asking(60_000);
    const first = facts.hidesFor(60_500);
    asked[0]!.answer({ ackDeadlineSeconds: 60 });
    expect(await first).toBe(false);
    expect(await facts.hidesFor(59_500)).toBe(true);
  });
});

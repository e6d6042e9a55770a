import { jest } from '@jest/globals';

import { PubsubCalls } from '../../src/providers/gcp/pubsub-calls.js';
import type { Delivery } from '../../src/providers/queue.js';
import { done, many } from '../contract/queue-harness.js';
import type { PubsubFault } from '../standins/pubsub-faults.js';
import { bodiesOf } from '../standins/pubsub-place.js';
import { until } from '../until.js';
import { newPlace, openQueue, receive, receiveAll, receiptsOf, runsOf, textsOf } from './pubsub-queues.js';

afterEach(() => jest.restoreAllMocks());

describe('receipts of an exactly-once subscription', () => {
  const exact = { ackDeadlineSeconds: 600, enableExactlyOnceDelivery: true };

  test('that are stale are expired, however many', async () => {
    const place = await newPlace(exact);
    const queue = await openQueue(place);
    await queue.send(many(350));
    const receipts = receiptsOf(await receiveAll(queue, 350));
    expect(runsOf(await queue.acknowledge(receipts))).toBe('350 done');
    const began = performance.now();
    expect(runsOf(await queue.acknowledge(receipts))).toBe('350 expired');
    expect(runsOf(await queue.extend(receipts, 60_000))).toBe('350 expired');
    expect(performance.now() - began).toBeLessThan(9_000);
    const { subscription } = place.faults;
    expect([await subscription.seen('Acknowledge'), await subscription.seen('ModifyAckDeadline')]).toEqual([10, 5]); // 16 KiB hold some eighty
  });

  test('have each an outcome of their own', async () => {
    const place = await newPlace(exact);
    const queue = await openQueue(place);
    await queue.send(many(4));
    const [stale, ...others] = receiptsOf(await receiveAll(queue, 4));
    expect(runsOf(await queue.acknowledge([stale!]))).toBe('1 done');
    await place.faults.subscription.rule({ kind: 'ackids', method: 'Acknowledge', nth: 2 });
    expect(runsOf(await queue.acknowledge([others[0]!, others[1]!, stale!, others[2]!]))).toBe(
      '1 done, 1 again, 1 expired, 1 done',
    );
    expect(runsOf(await queue.acknowledge([others[1]!]))).toBe('1 done');
    expect(await place.faults.subscription.stats(place.subscription)).toMatchObject({ waiting: 0, leased: 0 });
  });

  test('go a hundred a call also where nobody may look at the subscription, if the config says so', async () => {
    const place = await newPlace(exact);
    await place.faults.subscription.rule({ method: 'GetSubscription', code: 'PERMISSION_DENIED' });
    const queue = await openQueue(place, { exactlyOnce: true });
    await queue.send(many(250));
    const receipts = receiptsOf(await receiveAll(queue, 250));
    expect(runsOf(await queue.acknowledge(receipts))).toBe('250 done');
    expect(runsOf(await queue.acknowledge(receipts))).toBe('250 expired');
  });
});

test('receipts go in as few requests as take them', async () => {
  const place = await newPlace();
  const queue = await openQueue(place);
  await queue.send(many(2_500));
  const receipts = receiptsOf(await receiveAll(queue, 2_500));
  const { subscription } = place.faults;
  expect(runsOf(await queue.acknowledge(receipts))).toBe('2500 done');
  expect(await subscription.seen('Acknowledge')).toBe(3);
  expect(await subscription.stats(place.subscription)).toMatchObject({ waiting: 0, leased: 0 });
  // Of 2,000 bytes each, 512 KiB hold some 250; the service takes what looks like a receipt.
  const long = receipts.slice(0, 1_000).map((receipt) => 'x'.repeat(2_000 - receipt.length) + receipt);
  expect(runsOf(await queue.extend(long, 60_000))).toBe('1000 done');
  expect(await subscription.seen('ModifyAckDeadline', 'OK')).toBe(4);
});

test('no more is asked for at a time than limits say, however many are wanted', async () => {
  const queue = await openQueue(await newPlace());
  await queue.send(many(3));
  const pulled = jest.spyOn(PubsubCalls.prototype, 'pull');
  expect(await receive(queue, { messages: 5_000 })).toHaveLength(3);
  expect(pulled.mock.calls.map(([most]) => most)).toEqual([queue.limits.receiveMessages]);
});

describe('the lease', () => {
  test("is the caller's, where the subscription has a longer one", async () => {
    const place = await newPlace();
    const queue = await openQueue(place);
    await place.publish('a');
    expect(textsOf(await receive(queue, { leaseMs: 1_000 }))).toEqual(['a']);
    expect(textsOf(await receive(queue))).toEqual(['a']);
    expect(await place.faults.subscription.seen('ModifyAckDeadline')).toBe(1); // none where it is as long as asked for
  });

  test.each([undefined, 'PERMISSION_DENIED'] as const)(
    "is the caller's, where it has a shorter one, and GetSubscription answers %s",
    async (code) => {
      const place = await newPlace({ ackDeadlineSeconds: 10 });
      if (code !== undefined) await place.faults.subscription.rule({ method: 'GetSubscription', code });
      const queue = await openQueue(place);
      await place.publish('leased');
      expect(textsOf(await receive(queue, { leaseMs: 60_000 }))).toEqual(['leased']);
      await place.publish('ten seconds');
      expect(bodiesOf(await place.pull())).toEqual(['ten seconds']);
      expect(bodiesOf(await place.pull())).toEqual(['ten seconds']);
    },
  );

  test('is in whole seconds no shorter than was asked for, and no longer than Pub/Sub can', async () => {
    const place = await newPlace();
    const queue = await openQueue(place);
    await place.publish('a');
    const [given] = await receiveAll(queue, 1);
    const extended = jest.spyOn(PubsubCalls.prototype, 'extend');
    for (const leaseMs of [3_600_000, 1_001, 400, 0])
      expect(runsOf(await queue.extend([given!.receipt], leaseMs))).toBe('1 done');
    expect(extended.mock.calls.map(([, seconds]) => seconds)).toEqual([600, 2, 1, 0]);
  });

  test.each<PubsubFault>([
    { code: 'PERMISSION_DENIED' },
    { kind: 'ackids', reason: 'PERMANENT_FAILURE_INVALID_ACK_ID' },
  ])('is that of the subscription, where it cannot be changed: %j', async (fault) => {
    const place = await newPlace({ ackDeadlineSeconds: 600, enableExactlyOnceDelivery: true });
    const queue = await openQueue(place);
    const rule = await place.faults.subscription.rule({ method: 'ModifyAckDeadline', ...fault });
    await place.publish('a');
    const got = await receive(queue, { leaseMs: 60_000 });
    expect(textsOf(got)).toEqual(['a']);
    expect(await rule.happened()).toBe(1);
    expect(await queue.acknowledge(receiptsOf(got))).toEqual([done]);
  });
});

describe('dead letters', () => {
  test('are what was sent, when it was sent, and end with their queue', async () => {
    const { topic, subscription } = await newPlace();
    const place = await newPlace({
      ackDeadlineSeconds: 600,
      deadLetterPolicy: { deadLetterTopic: topic, maxDeliveryAttempts: 5 },
    });
    const queue = await openQueue(place, { deadLetters: { topic, subscription } });
    await queue.send([{ body: Buffer.from('a'), attributes: { kind: 'view' } }]);
    const given: Delivery[] = [];
    for (let times = 1; times <= 5; times++) {
      given.push(...(await receiveAll(queue, 1)));
      await queue.extend([given.at(-1)!.receipt], 0);
    }
    expect(given.map(({ deliveries }) => deliveries)).toEqual([1, 2, 3, 4, 5]);
    const [dead] = await receiveAll(queue.deadLetters!, 1);
    const { id, sentAt } = given[0]!;
    expect(dead).toMatchObject({ id, sentAt, attributes: { kind: 'view' } });
    expect(Object.keys(dead!.attributes)).toEqual(['kind']);
    expect(runsOf(await queue.deadLetters!.acknowledge([dead!.receipt]))).toBe('1 done');
    await queue.close();
    await expect(receive(queue.deadLetters!)).rejects.toThrow('is closed');
  });
});

test('what is no receipt at all is expired alone: the others of its call are done', async () => {
  const place = await newPlace();
  const queue = await openQueue(place);
  await queue.send(many(5));
  const receipts = receiptsOf(await receiveAll(queue, 5));
  expect(runsOf(await queue.acknowledge(receipts.toSpliced(2, 0, 'of-another-life')))).toBe(
    '2 done, 1 expired, 3 done',
  );
  expect(await queue.backlog()).toMatchObject({ waiting: 0 });
});

test('backlog counts what waits and what is leased, and says how old it is', async () => {
  const place = await newPlace();
  const queue = await openQueue(place);
  const begun = Date.now();
  const { asOf, ...none } = await queue.backlog();
  expect(none).toEqual({ waiting: 0, leased: 0, oldestMs: 0 });
  expect(asOf!.getTime()).toBeGreaterThanOrEqual(begun);
  await queue.send(many(3));
  await receive(queue, { messages: 1 });
  const oldest = await until('a second to have passed', async () => {
    const { oldestMs, ...counts } = await queue.backlog();
    expect(counts).toMatchObject({ waiting: 3, leased: 0 });
    return oldestMs !== undefined && oldestMs > 0 && oldestMs;
  });
  expect(oldest % 1_000).toBe(0);
});

import type { Delivery, Queue } from '../../src/providers/queue.js';
import { text } from '../contract/queue-harness.js';
import type { PubsubStats } from '../standins/pubsub-faults.js';
import type { PubsubPlace } from '../standins/pubsub-place.js';
import { pubsubEndpoint } from '../standins/gcp.js';
import { TcpProxy } from '../standins/tcp-proxy.js';
import { until } from '../until.js';
import { newPlace, openQueue, receive, receiptsOf, textsOf } from './pubsub-queues.js';

let place: PubsubPlace;
let queue: Queue;
beforeEach(async () => {
  place = await newPlace();
  queue = await openQueue(place);
});

const held = (): Promise<PubsubStats> => place.faults.subscription.stats(place.subscription);
const leased = (count: number): Promise<boolean> =>
  until(`${count} to be leased`, async () => (await held()).leased === count);
/** A receiver has come and gone: its pull waits at the service. */
const leave = async (messages: number): Promise<void> =>
  expect(await receive(queue, { messages, waitMs: 0 })).toEqual([]);

test('who waits no longer leaves the pull at the service, and the next gets what it brings', async () => {
  await leave(10);
  await place.publish('a');
  await leased(1);
  expect(textsOf(await receive(queue))).toEqual(['a']);
  expect(await place.faults.subscription.seen('Pull')).toBe(1);
});

test('what nobody claims is given back, and comes to others', async () => {
  await leave(10);
  await place.publish('a', 'b', 'c');
  await leased(3);
  expect(textsOf(await receive(queue, { messages: 1 }))).toEqual(['a']);
  const other = await openQueue(place);
  expect(textsOf(await receive(other)).sort()).toEqual(['b', 'c']);
  expect(await held()).toMatchObject({ waiting: 0, leased: 3 });
});

test('close gives back what has come, and does not wait for pulls that bring nothing', async () => {
  await leave(10);
  await place.publish('a');
  await leased(1);
  const waiting = [receive(queue), receive(queue), receive(queue)];
  expect(textsOf((await waiting[0])!)).toEqual(['a']);
  await leave(1);
  await place.publish('b', 'c');
  await leased(3);
  const began = performance.now();
  await queue.close();
  expect(performance.now() - began).toBeLessThan(3_000);
  const given = (await Promise.all(waiting)).flat();
  expect(await held()).toEqual({
    waiting: 3 - given.length,
    leased: given.length,
    oldestMs: expect.any(Number) as number,
  });
  await expect(receive(queue)).rejects.toThrow('is closed');
});

test('nothing is hidden for a lease after a close under load', async () => {
  for (let round = 0; round < 4; round++) {
    const loaded = await openQueue(place);
    let sent = 0;
    const stopped = new AbortController();
    const given: Delivery[] = [];
    const publishing = (async () => {
      for (; !stopped.signal.aborted; sent++) await place.publish(`${sent}`);
    })();
    const receivers = [1, 2, 3, 4].map(async () => {
      try {
        for (;;) given.push(...(await receive(loaded, { messages: 3, waitMs: 1_000 })));
      } catch (error) {
        expect((error as Error).message).toContain('is closed');
      }
    });
    await until('some to come', () => given.length > 50);
    await loaded.close();
    stopped.abort();
    await Promise.all([publishing, ...receivers]);
    expect(await held()).toMatchObject({ leased: given.length, waiting: sent - given.length });
    await place.subscriber.seek({
      subscription: place.subscription,
      time: { seconds: Math.ceil(Date.now() / 1_000) + 1 },
    });
  }
});

test('a pull that fails is the failure of one receiver', async () => {
  await place.faults.subscription.rule({ method: 'Pull', code: 'PERMISSION_DENIED', quote: true, times: 1 });
  const receivers = [1, 2, 3].map(() => receive(queue, { messages: 1 }));
  const failed = receivers.map((each) => each.then(() => undefined).catch((error: unknown) => error));
  const error = await Promise.race(failed);
  expect(error).toMatchObject({
    name: 'Unavailable',
    message: expect.stringMatching(/PERMISSION_DENIED; allow pubsub\.subscriptions\.consume/) as string,
  });
  await place.publish('a', 'b');
  const settled = await Promise.allSettled(receivers);
  const came = settled.flatMap((each) => (each.status === 'fulfilled' ? textsOf(each.value) : []));
  expect(came.sort()).toEqual(['a', 'b']);
});

test('a pull that brings nothing until its time is over is no failure, and there is another', async () => {
  const over = await place.faults.subscription.rule({ method: 'Pull', code: 'DEADLINE_EXCEEDED', times: 2 });
  const waiting = receive(queue);
  await until('both to have ended', async () => (await over.happened()) === 2);
  await place.publish('a');
  expect(textsOf(await waiting)).toEqual(['a']);
  expect(await place.faults.subscription.seen('Pull')).toBe(3);
});

test('several receivers at once get each message once', async () => {
  const receivers = Array.from({ length: 8 }, () => receive(queue, { messages: 1 }));
  for (let sent = 0; sent < 8; sent++) await place.publish(`${sent}`);
  const got = (await Promise.all(receivers)).flat();
  expect(textsOf(got).sort()).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
  expect(new Set(receiptsOf(got)).size).toBe(8);
});

describe('a service that goes away', () => {
  let proxy: TcpProxy;
  let through: Queue;
  beforeEach(async () => {
    proxy = await TcpProxy.start(await pubsubEndpoint());
    through = await openQueue(place, { endpoint: proxy.endpoint });
    await through.send([text('before')]);
    expect(textsOf(await receive(through))).toEqual(['before']);
  });
  afterEach(async () => {
    proxy.open();
    await through.close();
    await proxy.close();
  });

  const goesOn = async (): Promise<void> => {
    await place.publish('after');
    const got = await until('a receive to go on', () => receive(through).catch(() => undefined), 40_000);
    expect(textsOf(got)).toEqual(['after']);
  };

  test('ends the receives, which go on when it is back', async () => {
    const waiting = expect(receive(through)).rejects.toMatchObject({ name: 'Unavailable' });
    proxy.cut();
    await waiting;
    await expect(receive(through)).rejects.toMatchObject({
      message: expect.stringMatching(/UNAVAILABLE; no answer: look at the network/) as string,
    });
    proxy.open();
    await goesOn();
  });

  test('without a word is found out within a minute', async () => {
    const began = performance.now();
    const waiting = expect(receive(through, { waitMs: 120_000 })).rejects.toMatchObject({ name: 'Unavailable' });
    proxy.halfOpen();
    await waiting;
    expect(performance.now() - began).toBeLessThan(57_000);
    proxy.open();
    await goesOn();
  }, 150_000);
});

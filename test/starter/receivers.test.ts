import { getEventListeners, getMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { Receivers, yieldOf, type Yield } from '../../src/starter/receivers.js';
import { until } from '../until.js';

/** A queue of which the test says what each request under way brings. */
function asked() {
  const requests: ((brought: Yield | undefined) => void)[] = [];
  return {
    receive: (): Promise<Yield | undefined> => new Promise((resolve) => requests.push(resolve)),
    answer: (brought: Yield | undefined) => requests.shift()!(brought),
    underWay: (count: number) =>
      until(`${count} requests under way`, () => Promise.resolve(requests.length === count), 5_000),
    get requests() {
      return requests.length;
    },
  };
}

test('one more request while they bring much, one fewer while they bring few or nothing, one at least', async () => {
  const queue = asked();
  const stop = new AbortController();
  const run = new Receivers({ least: 1, most: 3, pauseMs: 0 }, queue.receive).run(stop.signal);
  await queue.underWay(1);
  const then: [Yield | undefined, number][] = [
    ['much', 2],
    ['much', 3],
    ['much', 3], // the most
    ['some', 3],
    ['none', 2],
    [undefined, 2], // no room, or no answer: says nothing of the queue
    // Else a burst would be paid for as long as something comes.
    ['few', 1],
    ['none', 1],
    ['few', 1],
  ];
  for (const [brought, underWay] of then) {
    queue.answer(brought);
    await queue.underWay(underWay);
  }
  stop.abort();
  queue.answer('much');
  await run;
  expect(queue.requests).toBe(0);
});

test('as many as should always wait do, whatever they bring', async () => {
  const queue = asked();
  const stop = new AbortController();
  const run = new Receivers({ least: 3, most: 3, pauseMs: 0 }, queue.receive).run(stop.signal);
  await queue.underWay(3);
  for (const brought of ['much', 'few', 'none', undefined] as const) {
    queue.answer(brought);
    await queue.underWay(3);
  }
  stop.abort();
  for (let left = 3; left > 0; left--) queue.answer('none');
  await run;
});

test('after a request that brought few it pauses, which ends with the stop; after others it does not', async () => {
  const queue = asked();
  const stop = new AbortController();
  const run = new Receivers({ least: 1, most: 1, pauseMs: 3_600_000 }, queue.receive).run(stop.signal);
  for (const brought of ['some', 'much', 'none', undefined] as const) {
    await queue.underWay(1);
    queue.answer(brought);
  }
  await queue.underWay(1);
  queue.answer('few');
  await new Promise(setImmediate);
  expect(queue.requests).toBe(0);
  stop.abort();
  await run;
});

test('so many that listen to the stop at once are no leak to warn of', async () => {
  const stop = new AbortController();
  let asks = 0;
  const run = new Receivers({ least: 1, most: 16, pauseMs: 0 }, async (signal) => {
    if (++asks < 17) return 'much';
    await sleep(60_000, undefined, { signal }).catch(() => undefined);
    return 'none';
  }).run(stop.signal);
  await until('all to listen', () => Promise.resolve(getEventListeners(stop.signal, 'abort').length === 16), 5_000);
  expect(getMaxListeners(stop.signal)).toBe(Infinity);
  stop.abort();
  await run;
});

test('much is a full request or half a megabyte, few is half a request and little', () => {
  expect(yieldOf(0, 0, 10)).toBe('none');
  expect(yieldOf(10, 100, 10)).toBe('much');
  expect(yieldOf(1, 1_048_576, 10)).toBe('much');
  expect(yieldOf(5, 1_000, 10)).toBe('few');
  expect(yieldOf(6, 1_000, 10)).toBe('some');
  expect(yieldOf(1, 200_000, 10)).toBe('some');
});

import { Receivers } from '../../src/starter/receivers.js';
import { until } from '../until.js';

/** A queue of which the test says what each request under way brings. */
function asked() {
  const requests: ((messages: number | undefined) => void)[] = [];
  const receive = (): Promise<number | undefined> => new Promise((resolve) => requests.push(resolve));
  return {
    receive,
    underWay: () => requests.length,
    answer: (messages: number | undefined) => requests.shift()!(messages),
    under: (count: number) =>
      until(`${count} requests under way`, () => Promise.resolve(requests.length === count), 5_000),
  };
}

test('one more request while they come back full, one fewer while they come back empty, one at least', async () => {
  const queue = asked();
  const stop = new AbortController();
  const receivers = new Receivers(10, 3, queue.receive);
  const run = receivers.run(stop.signal);
  await queue.under(1);
  queue.answer(10);
  await queue.under(2);
  queue.answer(10);
  await queue.under(3);
  queue.answer(10); // three are the most
  await queue.under(3);
  queue.answer(4);
  await queue.under(3);
  queue.answer(0);
  await queue.under(2);
  queue.answer(undefined); // no room, or no answer: says nothing of the queue
  await queue.under(2);
  queue.answer(0);
  await queue.under(1);
  queue.answer(0);
  await queue.under(1);
  stop.abort();
  queue.answer(10);
  await run;
  expect(queue.underWay()).toBe(0);
});

import { untilEmpty } from '../../src/starter/drain-dead-letters.js';
import { keptLog } from '../fakes/log.js';

const { log } = keptLog();

test('a queue whose counts come late is not empty while messages of it are held here', async () => {
  const stop = new AbortController();
  const poller = { leased: 2 };
  const queue = { backlog: () => Promise.resolve({ waiting: 0, leased: 0 }) };
  const looks: number[] = [];
  await untilEmpty([{ queue, poller }], stop.signal, log, ([left]) => {
    looks.push(left!);
    if (looks.length === 4) poller.leased = 0;
  });
  expect(looks).toEqual([2, 2, 2, 2, 0, 0, 0]);
}, 20_000);

test('a queue that does not answer is asked again, and is empty when it looked so three times in a row', async () => {
  const stop = new AbortController();
  const counts = [0, 0, undefined, 1, 0, 0, 0];
  const backlog = () => {
    const waiting = counts.shift();
    return waiting === undefined ? Promise.reject(new Error('away')) : Promise.resolve({ waiting, leased: 0 });
  };
  await untilEmpty([{ queue: { backlog }, poller: { leased: 0 } }], stop.signal, log, () => undefined);
  expect(counts).toEqual([]);
}, 20_000);

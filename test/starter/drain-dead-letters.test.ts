import { untilEmpty } from '../../src/starter/drain-dead-letters.js';
import { keptLog } from '../fakes/log.js';

const { log } = keptLog();

test('a queue whose counts come late is not empty while messages of it are held here', async () => {
  const stop = new AbortController();
  const poller = { leased: 2 };
  const queue = { backlog: () => Promise.resolve({ waiting: 0, leased: 0 }) };
  const looks: number[] = [];
  await untilEmpty([{ queue, poller }], stop.signal, log, ([look]) => {
    looks.push(look!.left);
    if (looks.length === 4) poller.leased = 0;
  });
  expect(looks).toEqual([2, 2, 2, 2, 0, 0, 0]);
}, 20_000);

test('a queue of which somebody else holds messages is not empty, nor are all where one is not', async () => {
  const stop = new AbortController();
  const leased = [2, 1, 0, 0, 0];
  const held = { backlog: () => Promise.resolve({ waiting: 0, leased: leased.shift()! }) };
  const empty = { backlog: () => Promise.resolve({ waiting: 0, leased: 0 }) };
  const poller = { leased: 0 };
  const looks: number[][] = [];
  await untilEmpty(
    [held, empty].map((queue) => ({ queue, poller })),
    stop.signal,
    log,
    (looked) => {
      looks.push(looked.map(({ left }) => left));
    },
  );
  expect(looks).toEqual([
    [2, 0],
    [1, 0],
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
}, 20_000);

test('at the signal it ends, whatever is left', async () => {
  const stop = new AbortController();
  const queue = { backlog: () => Promise.resolve({ waiting: 1, leased: 0 }) };
  let looks = 0;
  await untilEmpty([{ queue, poller: { leased: 0 } }], stop.signal, log, () => {
    if (++looks === 2) stop.abort();
  });
  expect(looks).toBe(2);
}, 20_000);

test('a queue that does not answer is asked again, and is empty when it looked so three times in a row', async () => {
  const stop = new AbortController();
  const counts = [0, 0, undefined, 0, 1, 0, 0, 0];
  const backlog = () => {
    const waiting = counts.shift();
    return waiting === undefined ? Promise.reject(new Error('away')) : Promise.resolve({ waiting, leased: 0 });
  };
  await untilEmpty([{ queue: { backlog }, poller: { leased: 0 } }], stop.signal, log, () => undefined);
  expect(counts).toEqual([]);
}, 20_000);

test('a queue that tells late how it was is not empty until it tells how it was after the last message', async () => {
  const stop = new AbortController();
  const begun = Date.now();
  const poller = { leased: 0 };
  // None were there a while ago; then two, of which one is held here; then none, and nobody knows of now.
  const told = [
    { waiting: 0, leased: 0, asOf: new Date(begun - 60_000) },
    { waiting: 2, leased: 0, asOf: new Date(begun - 30_000) },
    { waiting: 0, leased: 0, asOf: new Date(begun + 500) },
  ];
  const looks: (readonly [number, Date | undefined])[] = [];
  await untilEmpty([{ queue: { backlog: () => Promise.resolve(told[0]!) }, poller }], stop.signal, log, ([look]) => {
    looks.push([look!.left, look!.asOf]);
    if (told.length > 1) told.shift();
    poller.leased = looks.length === 2 ? 1 : 0;
    if (looks.length === 6) told[0] = { waiting: 0, leased: 0, asOf: new Date() };
  });
  expect(looks.map(([left]) => left)).toEqual([0, 2, 1, 0, 0, 0, 0, 0, 0]);
  expect(looks[0]![1]).toEqual(new Date(begun - 60_000));
}, 20_000);

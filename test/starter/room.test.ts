import type { QueueLimits } from '../../src/providers/queue.js';
import { Room } from '../../src/starter/room.js';

const mebibyte = 2 ** 20;
const few: QueueLimits = {
  messageBytes: mebibyte,
  receiveMessages: 10,
  receiveBytes: 10 * mebibyte,
  leaseMs: 60_000,
  heldMessages: 100,
};

/** Requests that there is room for beside each other. */
function requests(room: Room, held = { bytes: 0, messages: 0 }): number {
  let underWay = 0;
  while (underWay < 50 && room.isThere(held, underWay)) underWay++;
  return underWay;
}

test('a request counts for the most that it can bring, until what came says better', () => {
  const room = new Room({ ...few, heldMessages: 100_000 });
  expect(requests(room)).toBe(4);
  for (let time = 0; time < 4; time++) room.learn(10_000);
  expect(requests(room)).toBe(48);
  room.learn(8 * mebibyte);
  expect(requests(room)).toBe(4);
});

test('a queue that hands out many a request is always counted for the most', () => {
  const room = new Room({ ...few, receiveMessages: 256, receiveBytes: 16_000_000, heldMessages: 100_000 });
  for (let time = 0; time < 9; time++) room.learn(1_000);
  expect(requests(room)).toBe(3);
});

test('what is held leaves less room, and one request may always be made when nothing is', () => {
  const room = new Room({ ...few, heldMessages: 100_000 });
  expect(requests(room, { bytes: 30_000_000, messages: 30 })).toBe(1);
  expect(requests(room, { bytes: 40_000_000, messages: 40 })).toBe(0);
  expect(requests(new Room({ ...few, receiveBytes: 64_000_000 }))).toBe(1);
});

test('no more messages are held, those to come included, than the queue lets one process hold', () => {
  const room = new Room(few);
  for (let time = 0; time < 9; time++) room.learn(10);
  expect(requests(room)).toBe(10);
  expect(requests(room, { bytes: 0, messages: 95 })).toBe(0);
  expect(requests(room, { bytes: 0, messages: 85 })).toBe(1);
});

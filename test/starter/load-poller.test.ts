import { jest } from '@jest/globals';

import type { ObjectToLoad } from '../../src/activities/types.js';
import { Unavailable } from '../../src/errors.js';
import { newId } from '../../src/ids.js';
import { objectKey } from '../../src/keys.js';
import { encodeReference, type Reference } from '../../src/references.js';
import { LoadPoller } from '../../src/starter/load-poller.js';
import { LeasingQueue } from '../fakes/leasing-queue.js';
import { keptLog } from '../fakes/log.js';
import { until } from '../until.js';

const lake = 'memory://lake';
const { log, lines } = keptLog();
let queue: LeasingQueue;
let stop: AbortController;
let giveUp: AbortController;
let running: Promise<void>;
/** The loads so far; each ends when it is told to. */
let loads: { objects: readonly ObjectToLoad[]; end: (error?: Error) => void }[];

beforeEach(() => {
  lines.length = 0;
  loads = [];
  queue = new LeasingQueue();
});

afterEach(async () => {
  jest.restoreAllMocks();
  stop.abort();
  giveUp.abort();
  for (const { end } of loads) end();
  await running;
});

function poll({ cadenceMs = 0, leaseMs = 30_000, maxObjects = 100 } = {}): void {
  stop = new AbortController();
  giveUp = new AbortController();
  const load = (objects: readonly ObjectToLoad[]): Promise<void> =>
    new Promise((resolve, reject) => {
      loads.push({ objects, end: (error) => (error === undefined ? resolve() : reject(error)) });
    });
  const poller = new LoadPoller({ pipeline: 'test', lake, queue, load, leaseMs, cadenceMs, maxObjects, log });
  running = poller.run(stop.signal, giveUp.signal);
}

function reference(change: Partial<Reference> = {}): Reference {
  const batch = newId();
  const sha256 = 'ab'.repeat(32);
  const key = objectKey({ source: 'app', batch, events: 7, hash: sha256.slice(0, 32) });
  return { v: 1, pipeline: 'test', lake, key, batch, sha256, events: 7, bytes: 123, ...change };
}

/** Returns the keys that it rang for. */
function ring(...references: Reference[]): string[] {
  queue.put(...references.map((each) => ({ body: encodeReference(each) })));
  return references.map(({ key }) => key);
}

function ringOften(count: number): string[] {
  return ring(...Array.from({ length: count }, () => reference()));
}

function keysOf(load: number): string[] {
  return loads[load]!.objects.map(({ key }) => key);
}

test('doorbells are acknowledged when their load ended well, and not before', async () => {
  const keys = ringOften(3);
  poll();
  await until('a load', () => loads.length === 1);
  expect(keysOf(0)).toEqual(keys);
  expect(queue.acknowledged).toEqual([]);
  loads[0]!.end();
  await until('an empty queue', () => queue.size === 0);
});

test('what rings while a load runs goes into one load together', async () => {
  ringOften(1);
  poll();
  await until('a load', () => loads.length === 1);
  const keys = [...ringOften(2), ...ringOften(3)];
  await until('all received', () => queue.waiting.length === 0);
  expect(loads).toHaveLength(1);
  loads[0]!.end();
  await until('the next', () => loads.length === 2);
  expect(keysOf(1)).toEqual(keys);
});

test('a load begins one cadence after the last one did', async () => {
  ringOften(1);
  poll({ cadenceMs: 1_500 });
  await until('a load', () => loads.length === 1);
  const startedAt = performance.now();
  loads[0]!.end();
  ringOften(1);
  await until('the next', () => loads.length === 2);
  expect(performance.now() - startedAt).toBeGreaterThan(1_300);
});

test('a whole load does not wait for the cadence, and goes beside another one', async () => {
  poll({ cadenceMs: 3_600_000, maxObjects: 5 });
  ringOften(1);
  await until('a load', () => loads.length === 1);
  ringOften(12);
  await until('the next', () => loads.length === 2);
  expect(loads.map(({ objects }) => objects.length)).toEqual([1, 5]);
  loads[0]!.end();
  await until('the third', () => loads.length === 3);
  expect(keysOf(2)).toHaveLength(5);
});

test('an object that rang twice is loaded once, and both are acknowledged', async () => {
  const one = reference();
  const keys = ring(one, reference(), one);
  poll();
  await until('a load', () => loads.length === 1);
  expect(keysOf(0)).toEqual(keys.slice(0, 2));
  loads[0]!.end();
  await until('an empty queue', () => queue.size === 0);
  expect(queue.acknowledged).toHaveLength(3);
});

test('doorbells of a load that failed ring again, half as many a load', async () => {
  const keys = ringOften(2);
  poll();
  await until('a load', () => loads.length === 1);
  loads[0]!.end(new Unavailable('Temporal does not answer'));
  await until('two smaller loads', () => loads.length === 3);
  expect([keysOf(1), keysOf(2)]).toEqual(keys.map((key) => [key]));
  loads[1]!.end();
  loads[2]!.end();
  await until('an empty queue', () => queue.size === 0);
});

test('a load that is slow holds up no other for longer than a minute', async () => {
  ringOften(1);
  poll();
  await until('a load', () => loads.length === 1);
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + 61_000);
  ringOften(1);
  await until('another beside it', () => loads.length === 2);
  ringOften(1);
  await until('all received', () => queue.waiting.length === 0);
  expect(loads).toHaveLength(2);
});

test('leases are kept while a load takes its time', async () => {
  const [key] = ringOften(1);
  poll({ leaseMs: 1_000 });
  await until('extensions', () => queue.extended.length > 3);
  expect(loads.map(({ objects }) => objects[0]!.key)).toEqual([key]);
});

test('a doorbell that cannot be read is acknowledged, and nothing of it is said', async () => {
  queue.put({ body: Buffer.from('SECRET') });
  poll();
  await until('an empty queue', () => queue.size === 0);
  expect(loads).toEqual([]);
  expect(lines.join('')).toContain('unreadable');
  expect(lines.join('')).not.toContain('SECRET');
});

test.each([
  ['counts deliveries', true],
  ['does not', false],
])("another pipeline's doorbell is left to it five times, on a queue that %s", async (_what, counts) => {
  queue = new LeasingQueue({ counts });
  const [id] = queue.put({ body: encodeReference(reference({ pipeline: 'other' })) });
  let most = 0;
  const receive = queue.receive.bind(queue);
  queue.receive = (want) => {
    most = Math.max(most, queue.deliveriesOf(id!));
    return receive(want);
  };
  poll({ leaseMs: 100 });
  await until('an empty queue', () => queue.size === 0);
  expect(most).toBe(5);
  expect(queue.acknowledged).toEqual([id]);
  expect(queue.extended).toEqual([]);
  expect(loads).toEqual([]);
  expect(lines.join('')).toContain('"pipeline":"other"');
});

test('a queue that fails while a stray is acknowledged holds up no doorbell', async () => {
  queue.faults.acknowledge = () => Promise.reject(new Unavailable('the queue is down'));
  queue.put({ body: Buffer.from('unreadable') });
  const [key] = ringOften(1);
  poll();
  await until('a load', () => loads.length === 1);
  expect(keysOf(0)).toEqual([key]);
});

test('at the end loads that run may finish, and the rest goes back', async () => {
  poll({ maxObjects: 2 });
  ringOften(2);
  await until('a load', () => loads.length === 1);
  ringOften(1);
  await until('all received', () => queue.waiting.length === 0);
  stop.abort();
  loads[0]!.end();
  await running;
  expect(queue.acknowledged).toHaveLength(2);
  expect(queue.waiting).toHaveLength(1);
  expect(loads).toHaveLength(1);
});

test('what has not ended by the end goes back at once', async () => {
  ringOften(2);
  poll();
  await until('a load', () => loads.length === 1);
  stop.abort();
  giveUp.abort();
  await running;
  expect(queue.waiting).toHaveLength(2);
});

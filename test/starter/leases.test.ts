import { setTimeout as sleep } from 'node:timers/promises';

import { Unavailable } from '../../src/errors.js';
import type { Outcome } from '../../src/providers/queue.js';
import { Leases } from '../../src/starter/leases.js';
import { LeasingQueue } from '../fakes/leasing-queue.js';
import { keptLog } from '../fakes/log.js';
import { until } from '../until.js';

/** Long enough that a busy machine lets none lapse between two tries. */
const leaseMs = 4_000;
const { log, lines } = keptLog();
let queue: LeasingQueue;
let leases: Leases;

function begin(limits: { holdMs?: number } = {}): void {
  queue = new LeasingQueue(limits);
  leases = new Leases(queue, leaseMs, log);
}

beforeEach(() => {
  lines.length = 0;
  begin();
});
afterEach(() => leases.stop());

async function receive(messages: number): Promise<string[]> {
  queue.put(...Array.from({ length: messages }, () => ({ body: Buffer.from('SECRET') })));
  const signal = new AbortController().signal;
  const receipts = (await queue.receive({ messages, waitMs: 0, leaseMs: leases.leaseMs, signal })).map(
    ({ receipt }) => receipt,
  );
  leases.hold(receipts);
  return receipts;
}

function failed(retry: boolean): Outcome {
  return { status: 'failed', error: new Unavailable('the queue is down'), retry };
}

test('leases are extended together when half is gone, as long as they are held', async () => {
  const receipts = await receive(50);
  const heldAt = performance.now();
  await until('four extensions', () => queue.extended.length >= 4);
  expect(performance.now() - heldAt).toBeGreaterThan(leaseMs);
  expect(queue.extended[0]).toEqual({ receipts, leaseMs });
  expect(queue.waiting).toEqual([]);
  expect(leases.holds(receipts)).toBe(true);
});

test('no lease is longer than the queue allows', () => {
  const short = new Leases(new LeasingQueue({ leaseMs: 100 }), 60_000, log);
  expect(short.leaseMs).toBe(100);
  return short.stop();
});

test('one that has lapsed is held no more', async () => {
  const [first, second] = await receive(2);
  await queue.extend([first!], 0);
  await until('the other extended', () => queue.extended.some(({ receipts }) => receipts.length === 2));
  await until('the loss seen', () => !leases.holds([first!]));
  expect(leases.holds([second!])).toBe(true);
  expect(leases.holds([first!, second!])).toBe(false);
});

test('what is held for 0.95 of the longest is given back', async () => {
  await leases.stop();
  begin({ holdMs: 8_000 });
  const receipts = await receive(3);
  await until('all given back', () => queue.waiting.length === 3);
  expect(leases.holds(receipts)).toBe(false);
  expect(queue.extended.at(-1)).toEqual({ receipts, leaseMs: 0 });
});

test('an extension that fails is tried again', async () => {
  let calls = 0;
  queue.faults.extend = () => {
    calls++;
    return calls === 1 ? Promise.reject(new Unavailable('the queue is down')) : Promise.resolve();
  };
  const receipts = await receive(2);
  await until('a second call', () => calls >= 2);
  expect(leases.holds(receipts)).toBe(true);
  expect(lines.join('')).toContain('leases were not extended');
});

test('an extension that the queue says has failed is told, with the reason, and tried again', async () => {
  const extend = queue.extend.bind(queue);
  let calls = 0;
  queue.extend = (receipts, forMs) =>
    ++calls === 1 ? Promise.resolve(receipts.map(() => failed(true))) : extend(receipts, forMs);
  const receipts = await receive(2);
  await until('a second call', () => calls >= 2);
  expect(leases.holds(receipts)).toBe(true);
  expect(lines.join('')).toMatch(/"messages":2,"error":"the queue is down","msg":"leases were not extended/);
});

test('an extension that hangs does not stop the others', async () => {
  let calls = 0;
  const hanging = new AbortController();
  queue.faults.extend = async () => {
    calls++;
    if (calls === 1) await sleep(60_000, undefined, { signal: hanging.signal }).catch(() => undefined);
  };
  const receipts = await receive(2);
  await until('a second call', () => calls >= 2);
  expect(leases.holds(receipts)).toBe(true);
  hanging.abort();
});

test('acknowledgements that fail are tried again, those alone', async () => {
  const asked: (readonly string[])[] = [];
  queue.faults.acknowledge = (receipts) => {
    asked.push(receipts);
    if (asked.length === 1) return Promise.reject(new Unavailable('the queue is down'));
    if (asked.length > 2) return Promise.resolve(undefined);
    const outcomes = [failed(true), failed(false), { status: 'expired' } as const, { status: 'done' } as const];
    return Promise.resolve(outcomes);
  };
  const receipts = await receive(4);
  await leases.acknowledge(receipts);
  expect(asked).toEqual([receipts, receipts, [receipts[0]]]);
  // The one that will never be.
  expect(lines.join('')).toContain('"messages":1,"error":"the queue is down"');
  expect(queue.acknowledged).toHaveLength(1);
  expect(leases.holds([receipts[0]!])).toBe(false);
});

test('leases are extended while acknowledgements are tried, and let go when none succeeds', async () => {
  queue.faults.acknowledge = (receipts) => Promise.resolve(receipts.map(() => failed(true)));
  const receipts = await receive(2);
  await leases.acknowledge(receipts);
  expect(queue.extended.length).toBeGreaterThan(0);
  expect(leases.holds(receipts)).toBe(false);
  expect(lines.join('')).toMatch(
    /"messages":2,"error":"the queue is down","msg":"not acknowledged; these messages will/,
  );
  expect(lines.join('')).not.toContain('SECRET');
  for (const receipt of receipts) expect(lines.join('')).not.toContain(receipt);
  await until('both to come again', () => queue.waiting.length === 2);
});

test('at the end all that is held goes back, and a queue that is down does not stop the end', async () => {
  await receive(5);
  await leases.stop();
  expect(queue.waiting).toHaveLength(5);

  begin();
  await receive(5);
  queue.faults.extend = () => Promise.reject(new Unavailable('the queue is down'));
  await leases.stop();
  expect(lines.join('')).toContain('not given back');
});

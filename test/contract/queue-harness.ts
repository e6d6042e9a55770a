import type { Delivery, Message, Needs, Outcome, Queue } from '../../src/providers/queue.js';

export interface QueueUnderTest {
  readonly name: string;
  /** A queue of its own for `which`, empty at first; the same `which` opens the same queue again, as another process would. */
  readonly open: (which: string) => Promise<Queue>;
  /** The shortest lease, in milliseconds, that the queue can keep and let lapse. */
  readonly minLeaseMs: number;
  /** Titles of tests that this implementation cannot pass, each with the reason. */
  readonly skip?: readonly { readonly tests: readonly string[]; readonly reason: string }[];
}

/** What the tests of the contract share. */
export interface QueueHarness {
  /** A test on a queue of its own, unless the implementation skips it. */
  readonly check: (title: string, run: (queue: Queue) => Promise<void>) => void;
  /** The same queue, opened once more. */
  readonly again: () => Promise<Queue>;
  /** Receives until `enough`, or until nothing more has come for a while. */
  readonly receive: (queue: Queue, enough: number, leaseMs?: number) => Promise<Delivery[]>;
  /** Nothing comes for `waitMs`. */
  readonly nothing: (queue: Queue, waitMs?: number) => Promise<void>;
  readonly acknowledge: (queue: Queue, deliveries: readonly Delivery[]) => Promise<void>;
  readonly send: (queue: Queue, messages: readonly Message[]) => Promise<void>;
  /** A lease that outlasts any test, in milliseconds. */
  readonly long: number;
  readonly minLeaseMs: number;
}

export function queueHarness({ open, minLeaseMs, skip = [] }: QueueUnderTest): QueueHarness {
  const opened: Queue[] = [];
  let tests = 0;
  let which = '';
  const again = async (): Promise<Queue> => {
    const queue = await open(which);
    opened.push(queue);
    return queue;
  };

  const check = (title: string, run: (queue: Queue) => Promise<void>): void => {
    if (skip.some((one) => one.tests.includes(title))) return;
    test(title, async () => run(await again()));
  };

  const long = Math.max(30_000, minLeaseMs);

  const receive = async (queue: Queue, enough: number, leaseMs = long): Promise<Delivery[]> => {
    const all: Delivery[] = [];
    const { signal } = new AbortController();
    for (let empty = 0; all.length < enough && empty < 20;) {
      const got = await queue.receive({ messages: Math.min(10, enough), waitMs: 500, leaseMs, signal });
      empty = got.length === 0 ? empty + 1 : 0;
      all.push(...got);
    }
    return all;
  };

  const nothing = async (queue: Queue, waitMs = 200): Promise<void> => {
    const { signal } = new AbortController();
    expect(await queue.receive({ messages: 10, waitMs, leaseMs: long, signal })).toEqual([]);
  };

  const acknowledge = async (queue: Queue, deliveries: readonly Delivery[]): Promise<void> => {
    const outcomes = await queue.acknowledge(deliveries.map(({ receipt }) => receipt));
    expect(outcomes).toEqual(deliveries.map(() => done));
  };

  const send = async (queue: Queue, messages: readonly Message[]): Promise<void> => {
    expect(await queue.send(messages)).toEqual(messages.map(() => done));
  };

  beforeEach(() => {
    which = `test-${++tests}`;
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((queue) => queue.close()));
  });
  return { check, again, receive, nothing, acknowledge, send, long, minLeaseMs };
}

/** What a cloud pipeline expects by default. */
export const needs: Needs = { surviveMs: 3 * 86_400_000, leaseMs: 300_000 };

export const done: Outcome = { status: 'done' };
export const expired: Outcome = { status: 'expired' };

export const text = (body: string): Message => ({ body: Buffer.from(body), attributes: {} });
export const many = (count: number): Message[] =>
  Array.from({ length: count }, (_, index) => text(`message ${String(index).padStart(count > 10 ? 3 : 1, '0')}`));
export const asText = (body: Uint8Array): string => Buffer.from(body).toString();
export const bodies = (deliveries: readonly Delivery[]): string[] => deliveries.map(({ body }) => asText(body)).sort();
export const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** A message of that size by the queue's own measure. */
export function ofSize(queue: Queue, bytes: number): Message {
  const message = (length: number): Message => ({ body: Buffer.alloc(length, 'size'), attributes: {} });
  let low = 0;
  let high = bytes;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (queue.sizeOf(message(middle)) <= bytes) low = middle;
    else high = middle - 1;
  }
  // Where an encoding leaves gaps, the largest below the limit serves as "exactly", and the next above it as "more".
  return queue.sizeOf(message(low)) === bytes || bytes <= queue.limits.messageBytes ? message(low) : message(low + 1);
}

export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

import { getEventListeners } from 'node:events';

import { jest } from '@jest/globals';

import type { PubsubCalls, Pull, ReceivedMessage } from '../../src/providers/gcp/pubsub-calls.js';
import { Pulls } from '../../src/providers/gcp/pubsub-pulls.js';

/** Pulls at the service, in the order in which they were asked for, each of which is answered as a test says. */
let asked: ((...ackIds: string[]) => Promise<void>)[];
/** Until then none is made. */
let connected: Promise<void>;
let cancelled: number;
let givenBack: string[];
let pulls: Pulls;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'queueMicrotask', 'nextTick'] });
  asked = [];
  connected = Promise.resolve();
  cancelled = 0;
  givenBack = [];
  const pull = async (): Promise<Pull> => {
    await connected;
    let settle: (received: ReceivedMessage[]) => void;
    const answer = new Promise<ReceivedMessage[]>((resolve) => (settle = resolve));
    asked.push(async (...ackIds) => {
      settle(ackIds.map((ackId) => ({ ackId })));
      await settled();
    });
    const cancel = (): void => {
      cancelled++;
      settle([]);
    };
    return { answer, cancel };
  };
  pulls = new Pulls({ pull, closedError: () => new Error('closed') } as unknown as PubsubCalls, (receipts) => {
    givenBack.push(...receipts);
    return Promise.resolve();
  });
});

afterEach(async () => {
  await pulls.close();
  jest.useRealTimers();
});

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function receive(messages = 10, signal = new AbortController().signal): Promise<string[]> {
  const received = await pulls.receive({ messages, waitMs: 20_000, signal });
  return received.map(({ ackId }) => ackId!);
}

/** Receivers come and go: their pulls wait at the service. */
async function leave(count = 1): Promise<void> {
  const stop = new AbortController();
  const left = Array.from({ length: count }, () => receive(10, stop.signal));
  await settled();
  stop.abort();
  expect((await Promise.all(left)).flat()).toEqual([]);
}

test('what is not claimed within five seconds is given back, and nothing else that came since', async () => {
  await leave(2);
  await asked[0]!('a', 'b', 'c');
  expect(await receive(1)).toEqual(['a']);
  await jest.advanceTimersByTimeAsync(3_000);
  await asked[1]!('d');
  await jest.advanceTimersByTimeAsync(3_000);
  expect(givenBack).toEqual(['b', 'c']);
  expect(await receive()).toEqual(['d']);
});

test('what was claimed is not given back, nor is what came after it', async () => {
  await leave();
  await asked[0]!('a', 'b');
  expect(await receive(1)).toEqual(['a']);
  expect(await receive(1)).toEqual(['b']);
  await jest.advanceTimersByTimeAsync(3_000);
  await leave();
  await asked[1]!('c');
  await jest.advanceTimersByTimeAsync(3_000);
  expect(givenBack).toEqual([]);
  expect(await receive()).toEqual(['c']);
});

test('after a pull that brought nothing there is another, for each that waits', async () => {
  const waiting = [receive(), receive()];
  await settled();
  expect(asked).toHaveLength(2);
  await asked[0]!();
  expect(asked).toHaveLength(3);
  await asked[1]!();
  expect(asked).toHaveLength(4);
  await asked[2]!('a');
  await asked[3]!('b');
  expect((await Promise.all(waiting)).flat().sort()).toEqual(['a', 'b']);
  expect(asked).toHaveLength(4);
});

test('who receives over and over with one signal leaves nothing on it', async () => {
  const { signal } = new AbortController();
  const waiting = receive(10, signal);
  await settled();
  await asked[0]!('a');
  expect(await waiting).toEqual(['a']);
  const late = receive(10, signal);
  await settled();
  await jest.advanceTimersByTimeAsync(20_000);
  expect(await late).toEqual([]);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  expect(jest.getTimerCount()).toBe(0);
});

test('a pull that is connected only after the end is cancelled at once: nothing would end it later', async () => {
  let connect: () => void;
  connected = new Promise((resolve) => (connect = resolve));
  const waiting = receive();
  const closed = pulls.close();
  expect(await waiting).toEqual([]);
  connect!();
  await settled();
  expect(cancelled).toBe(1);
  await closed;
});

test('what comes while all ends is given back, before it has ended', async () => {
  const waiting = [receive(), receive()];
  await settled();
  const closed = pulls.close();
  void asked[0]!('a');
  void asked[1]!('b');
  await closed;
  expect((await Promise.all(waiting)).flat()).toEqual([]);
  expect(givenBack).toEqual(['a', 'b']);
  await expect(receive()).rejects.toThrow('closed');
});

test('what has come and nobody has claimed is given back at the end', async () => {
  await leave(2);
  await asked[0]!('a', 'b');
  await asked[1]!('c');
  expect(await receive(1)).toEqual(['a']);
  await pulls.close();
  expect(givenBack).toEqual(['b', 'c']);
  expect(jest.getTimerCount()).toBe(0);
});

test('of pulls that have ended nothing is kept', async () => {
  const waiting = receive();
  await settled();
  await asked[0]!('a');
  expect(await waiting).toEqual(['a']);
  await pulls.close();
  expect(cancelled).toBe(0);
});

test('what does not come soon once all is to end is not waited for', async () => {
  const waiting = receive();
  await settled();
  await pulls.close();
  expect(await waiting).toEqual([]);
  expect(cancelled).toBe(1);
});

import fc from 'fast-check';

import { EventRefused, Unavailable } from '../src/errors.js';
import type { RawEvent } from '../src/events.js';
import { measure, unpack } from '../src/packing.js';
import type { Outcome } from '../src/providers/queue.js';
import { createSender, type NewEvent } from '../src/send/sender.js';
import { anyBody } from './arbitraries.js';
import { deliveries, MemoryQueue } from './fakes/queue.js';

const down: Outcome = { status: 'failed', retry: true, error: new Unavailable('the queue is down') };
const forbidden: Outcome = { status: 'failed', retry: false, error: new Error('not allowed') };

function arrived(queue: MemoryQueue): RawEvent[] {
  return deliveries(queue).flatMap((delivery) => unpack(delivery, 1_000));
}

const plain = (events: readonly { id: string; attributes: object; body: Uint8Array }[]): unknown[] =>
  events
    .map(({ id, attributes, body }) => [id, JSON.stringify(attributes), Buffer.from(body).toString('hex')])
    .sort(([a], [b]) => (a! < b! ? -1 : 1));

const text = fc.string({ maxLength: 20 });
const newEvent = fc.record({
  id: fc.uuid(),
  attributes: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), text, { maxKeys: 3 }),
  body: fc.oneof(
    anyBody,
    fc.nat(900).map((length) => Buffer.alloc(length, 7)),
  ),
});

test('every event arrives byte for byte, whatever the queue takes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(newEvent, { maxLength: 60, selector: ({ id }) => id }),
      fc.integer({ min: 2_000, max: 20_000 }),
      async (events, messageBytes) => {
        const queue = new MemoryQueue({ messageBytes });
        const sender = createSender(queue, { lingerMs: 0 });
        const ids = await Promise.all(events.map((event) => sender.send(event)));
        expect(ids).toEqual(events.map(({ id }) => id));
        expect(plain(arrived(queue))).toEqual(plain(events));
        for (const message of queue.sent) expect(queue.sizeOf(message)).toBeLessThanOrEqual(messageBytes);
      },
    ),
    { numRuns: 60 },
  );
});

test('events share messages, which no batch is too small for', async () => {
  const queue = new MemoryQueue();
  const sender = createSender(queue, { attributes: { app: 'web' } });
  const body = Buffer.alloc(100, 1);
  const sent = Array.from({ length: 1_200 }, () => sender.send({ body }));
  await sender.flush();
  await Promise.all(sent);
  expect(queue.sent.map((message) => measure({ ...message }).events)).toEqual([500, 500, 200]);
  expect(arrived(queue).every(({ attributes }) => attributes.app === 'web')).toBe(true);
});

test('attributes of every event do not swell a message beyond what a batch holds', async () => {
  const queue = new MemoryQueue({ messageBytes: 10_000_000 });
  const sender = createSender(queue, { attributes: { wide: 'x'.repeat(100_000) } });
  const sent = Array.from({ length: 400 }, () => sender.send({ body: Buffer.from('{}') }));
  await sender.flush();
  await Promise.all(sent);
  for (const message of queue.sent) expect(measure({ ...message }).bytes).toBeLessThan(17_000_000);
  expect(arrived(queue)).toHaveLength(400);
});

test('an event at the limit goes alone, one byte more is refused, and the others are sent', async () => {
  const queue = new MemoryQueue({ messageBytes: 4_000 });
  const sender = createSender(queue);
  const id = 'the-id';
  const room = Math.floor((4_000 - 'catchment-id'.length - id.length) / 4) * 3;
  const results = await Promise.allSettled([
    sender.send({ body: Buffer.from('before') }),
    sender.send({ body: Buffer.alloc(room, 1), id }),
    sender.send({ body: Buffer.alloc(room + 1, 1), id }),
    sender.send({ body: Buffer.from('after') }),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect((results[2] as PromiseRejectedResult).reason).toBeInstanceOf(EventRefused);
  expect(String((results[2] as PromiseRejectedResult).reason)).toMatch(/takes 4\d{3} bytes .* at most 4000/);
  expect(
    arrived(queue)
      .map(({ body }) => body.length)
      .sort((a, b) => a - b),
  ).toEqual([5, 6, room]);
});

test('an event that the queue does not take costs none of those that share its message', async () => {
  const poison = Buffer.from('poison');
  const answer = ({ body }: { body: Uint8Array }) => (Buffer.from(body).includes(poison) ? forbidden : undefined);
  const queue = new MemoryQueue({ answer });
  const sender = createSender(queue);
  const bodies = Array.from({ length: 50 }, (_, at) => (at % 17 === 3 ? poison : Buffer.from(`event ${at}`)));
  const results = await Promise.allSettled(bodies.map((body) => sender.send({ body })));
  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(3);
  expect(arrived(queue)).toHaveLength(47);
});

test('what fails is sent again, under the same ids, until it is durable', async () => {
  let failures = 0;
  const tried: string[] = [];
  const queue = new MemoryQueue({
    answer: (message) => {
      tried.push(Buffer.from(message.body).toString());
      failures += 1;
      if (failures === 2) throw new Error('thrown, not answered');
      return failures <= 3 ? down : undefined;
    },
  });
  const retried: string[] = [];
  const sender = createSender(queue, { onRetry: (error) => retried.push(error.message) });
  await sender.send({ body: Buffer.from('a') });
  expect(new Set(tried).size).toBe(1);
  expect(tried).toHaveLength(4);
  expect(retried).toEqual(['the queue is down', 'thrown, not answered', 'the queue is down']);
  expect(arrived(queue)).toHaveLength(1);
});

test('after an abort nothing is tried again, and what is not durable says so', async () => {
  const stop = new AbortController();
  const queue = new MemoryQueue({ answer: () => down });
  const sender = createSender(queue, { signal: stop.signal, onRetry: () => stop.abort() });
  await expect(sender.send({ body: Buffer.from('a') })).rejects.toThrow(Unavailable);
  await expect(sender.send({ body: Buffer.from('b') })).rejects.toThrow(Unavailable);
});

test('a lone event waits for company only shortly', async () => {
  const queue = new MemoryQueue();
  await createSender(queue, { lingerMs: 5 }).send({ body: Buffer.from('alone') });
  expect(arrived(queue).map(({ body }) => Buffer.from(body).toString())).toEqual(['alone']);
});

test('producers are held up while much is under way', async () => {
  let release = (): void => undefined;
  const gate = new Promise<undefined>((resolve) => (release = () => resolve(undefined)));
  const queue = new MemoryQueue({ answer: () => gate });
  const sender = createSender(queue, { heldBytes: 300_000 });
  const send = (): Promise<string> => sender.send({ body: Buffer.alloc(100_000) });
  const first = [send(), send()];
  await sender.room();
  first.push(send(), send());
  let room = false;
  const waiting = sender.room().then(() => (room = true));
  await new Promise(setImmediate);
  expect(room).toBe(false);
  release();
  await Promise.all([waiting, sender.flush(), ...first]);
  expect(arrived(queue)).toHaveLength(4);
});

test('an empty id is refused', async () => {
  const event: NewEvent = { id: '', body: Buffer.from('a') };
  await expect(createSender(new MemoryQueue()).send(event)).rejects.toThrow(EventRefused);
});

test('reserved attributes are refused', async () => {
  const event: NewEvent = { body: Buffer.from('a'), attributes: { 'catchment-id': 'mine' } };
  await expect(createSender(new MemoryQueue()).send(event)).rejects.toThrow(/catchment-id .* reserved/);
});

import type { ObjectToLoad } from '../../src/activities/types.js';
import { newId } from '../../src/ids.js';
import { objectKey } from '../../src/keys.js';
import type { Delivery } from '../../src/providers/queue.js';
import { encodeReference, type Reference } from '../../src/references.js';
import { readDoorbell, WaitingDoorbells } from '../../src/starter/doorbells.js';

const ours = { pipeline: 'test', lake: 'memory://lake' };

function referenceOf(change: Partial<Reference> = {}): Reference {
  const batch = newId();
  const sha256 = 'ab'.repeat(32);
  const key = objectKey({ source: 'app', batch, events: 7, hash: sha256.slice(0, 32) });
  return { v: 1, ...ours, key, batch, sha256, events: 7, bytes: 123, ...change };
}

function ring(body: Uint8Array): Delivery {
  return { id: newId(), receipt: newId(), body, attributes: {}, sentAt: new Date() };
}

test('a doorbell names an object, its source by the key', () => {
  const reference = referenceOf();
  const { key, batch, sha256 } = reference;
  expect(readDoorbell(ring(encodeReference(reference)), ours)).toEqual({
    kind: 'object',
    object: { key, source: 'app', batch, events: 7, sha256 },
    bytes: 123,
  });
});

test.each([
  ['no JSON', Buffer.from('not a reference')],
  ['nothing', Buffer.alloc(0)],
  ['JSON of something else', Buffer.from('{"v":1}')],
  ['a key of no object', encodeReference(referenceOf({ key: 'raw/../etc/passwd' }))],
  ['a key of another batch', encodeReference(referenceOf({ batch: newId() }))],
  ['another count than its key', encodeReference(referenceOf({ events: 8 }))],
])('%s is unreadable', (_what, body) => {
  expect(readDoorbell(ring(body), ours)).toEqual({ kind: 'unreadable' });
});

test('one of another pipeline or lake is a stray', () => {
  const other = encodeReference(referenceOf({ pipeline: 'other' }));
  expect(readDoorbell(ring(other), ours)).toEqual({ kind: 'stray', pipeline: 'other', lake: ours.lake });
  const elsewhere = encodeReference(referenceOf({ lake: 'memory://elsewhere' }));
  expect(readDoorbell(ring(elsewhere), ours)).toMatchObject({ kind: 'stray', lake: 'memory://elsewhere' });
});

function object(events = 10): ObjectToLoad {
  const { key, batch, sha256 } = referenceOf();
  return { key, source: 'app', batch, events, sha256 };
}

function waitingWith(objects: readonly { object: ObjectToLoad; bytes?: number }[], most = 100): WaitingDoorbells {
  const waiting = new WaitingDoorbells(most);
  for (const each of objects) waiting.add(each.object, each.bytes ?? 1_000, newId());
  return waiting;
}

test('an object that rang twice is loaded once, for both', () => {
  const waiting = new WaitingDoorbells(100);
  const one = object();
  waiting.add(one, 10, 'first');
  waiting.add(object(), 10, 'other');
  waiting.add(one, 10, 'second');
  expect(waiting.size).toBe(2);
  expect(waiting.take().map(({ receipts }) => receipts)).toEqual([['first', 'second'], ['other']]);
  expect(waiting.size).toBe(0);
});

test.each([
  ['100 objects', Array.from({ length: 250 }, () => ({ object: object() })), 100, [100, 100, 50]],
  ['as many as the warehouse takes', Array.from({ length: 5 }, () => ({ object: object() })), 2, [2, 2, 1]],
  ['50,000 events', Array.from({ length: 5 }, () => ({ object: object(20_000) })), 100, [2, 2, 1]],
  ['16 MB', Array.from({ length: 5 }, () => ({ object: object(), bytes: 5_000_000 })), 100, [3, 2]],
  ['one larger alone', [60_000, 10, 10].map((events) => ({ object: object(events) })), 100, [1, 2]],
])('a load holds %s', (_what, objects, most, sizes) => {
  const waiting = waitingWith(objects, most);
  const taken: number[] = [];
  const full: boolean[] = [];
  while (waiting.size > 0) {
    full.push(waiting.full);
    taken.push(waiting.take().length);
  }
  expect(taken).toEqual(sizes);
  expect(full[0]).toBe(true);
  expect(full.at(-1)).toBe(false);
});

test('loads that fail make the next ones smaller, down to one object; those that go well make them larger again', () => {
  const sizeAfter = (objects: number, end: 'well' | 'failed'): number => {
    waiting.learn(objects, end);
    while (waiting.size < 250) waiting.add(object(), 1_000, newId());
    return waiting.take().length;
  };
  const waiting = new WaitingDoorbells(100);
  expect(sizeAfter(3, 'well')).toBe(100);
  expect([100, 50, 25, 12, 6, 3, 1, 1].map((size) => sizeAfter(size, 'failed'))).toEqual([50, 25, 12, 6, 3, 1, 1, 1]);
  expect([1, 2, 1, 4, 8, 100].map((size) => sizeAfter(size, 'well'))).toEqual([2, 4, 4, 8, 16, 100]);
});

test('the oldest are taken first', () => {
  const objects = Array.from({ length: 10 }, () => object(15_000));
  const waiting = waitingWith(objects.map((each) => ({ object: each })));
  const taken = [waiting.take(), waiting.take(), waiting.take(), waiting.take()].flat();
  expect(taken.map((rung) => rung.object)).toEqual(objects);
});

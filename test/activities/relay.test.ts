import { createHash } from 'node:crypto';

import type { Dependencies } from '../../src/activities/index.js';
import { createRelay } from '../../src/activities/relay.js';
import { EventRefused, LakeCorrupt, Unavailable } from '../../src/errors.js';
import { newId } from '../../src/ids.js';
import { objectKey } from '../../src/keys.js';
import type { Outcome } from '../../src/providers/queue.js';
import { decodeReference, type Reference } from '../../src/references.js';
import { asActivity } from '../fakes/activity.js';
import { ObjectLake } from '../fakes/object-lake.js';
import { MemoryQueue } from '../fakes/queue.js';

let lake: ObjectLake;
let secondary: MemoryQueue;
let answer: Outcome | undefined;

beforeEach(() => {
  lake = new ObjectLake();
  answer = undefined;
  secondary = new MemoryQueue({ answer: () => answer });
});

function relay(input: { source: string; batch: string; reference?: Reference }): Promise<'stored' | 'returned'> {
  const dependencies = { settings: { pipeline: 'test' }, parts: { lake, secondary } } as unknown as Dependencies;
  return asActivity(() => createRelay(dependencies)(input));
}

async function stored(source = 'app'): Promise<Reference> {
  const batch = newId();
  const body = Buffer.from(`the object of ${batch}`);
  const sha256 = createHash('sha256').update(body).digest('hex');
  const key = objectKey({ source, batch, events: 5, hash: sha256.slice(0, 32) });
  await lake.put(key, body);
  return { v: 1, pipeline: 'test', lake: lake.uri, key, batch, sha256, events: 5, bytes: body.length };
}

const rung = (): (Reference | undefined)[] => secondary.sent.map(({ body }) => decodeReference(body));

test('rings for an object that is there', async () => {
  const reference = await stored();
  expect(await relay({ source: 'app', batch: reference.batch, reference })).toBe('stored');
  expect(rung()).toEqual([reference]);
  expect(lake.gets).toEqual([]);
});

test('does not ring for one that is not, whatever its writer said', async () => {
  const reference = await stored();
  lake.objects.clear();
  expect(await relay({ source: 'app', batch: reference.batch, reference })).toBe('returned');
  expect(secondary.sent).toEqual([]);
});

test('rings for an object whose writer said nothing, once it is durable', async () => {
  const reference = await stored();
  lake.puts.length = 0;
  expect(await relay({ source: 'app', batch: reference.batch })).toBe('stored');
  expect(rung()).toEqual([reference]);
  expect(lake.puts).toEqual([reference.key]);
});

test('rings for the object that is there, where its writer named another', async () => {
  const reference = await stored();
  const other = {
    ...reference,
    sha256: '0'.repeat(64),
    key: reference.key.replace(/_\w{32}\./, `_${'0'.repeat(32)}.`),
  };
  expect(other.key).not.toBe(reference.key);
  expect(await relay({ source: 'app', batch: reference.batch, reference: other })).toBe('stored');
  expect(rung()).toEqual([reference]);
});

test('takes nothing for the object that has only its folder', async () => {
  const reference = await stored();
  const { body, writtenAt } = lake.objects.get(reference.key)!;
  const beside = reference.key.replace('_5_', '_');
  lake.objects.clear();
  lake.objects.set(beside, { body, writtenAt });
  expect(await relay({ source: 'app', batch: reference.batch })).toBe('returned');
  lake.objects.set(reference.key, { body, writtenAt });
  expect(await relay({ source: 'app', batch: reference.batch })).toBe('stored');
  expect(rung()).toEqual([reference]);
});

test('does not ring for an object that is not what its key says', async () => {
  const { key, batch } = await stored();
  lake.objects.set(key, { body: Buffer.from('half of it'), writtenAt: new Date() });
  await expect(relay({ source: 'app', batch })).rejects.toThrow(LakeCorrupt);
  expect(secondary.sent).toEqual([]);
});

test("takes another source's object of a like name for what it is", async () => {
  const { batch } = await stored('app-eu');
  expect(await relay({ source: 'app', batch })).toBe('returned');
});

test.each([
  ['is down', { status: 'failed', error: new Unavailable('the queue is down'), retry: true } as const],
  ['refuses', { status: 'failed', error: new EventRefused('too large'), retry: false } as const],
  ['answers nothing of use', { status: 'expired' } as const],
])('is not done while the secondary queue %s', async (_what, outcome) => {
  const reference = await stored();
  answer = outcome;
  await expect(relay({ source: 'app', batch: reference.batch, reference })).rejects.toThrow();
});

test('is not done while the lake does not answer', async () => {
  const { batch } = await stored();
  lake.faults.get = () => Promise.reject(new Unavailable('the lake is down'));
  await expect(relay({ source: 'app', batch })).rejects.toThrow('the lake is down');
  expect(secondary.sent).toEqual([]);
});

import { LakeCorrupt, Unavailable } from '../../src/errors.js';
import { newId } from '../../src/ids.js';
import { parseObjectKey } from '../../src/keys.js';
import { Encoder } from '../../src/starter/encoder.js';
import { Holding, type HeldBatch } from '../../src/starter/holding.js';
import { ObjectLake } from '../fakes/object-lake.js';

const encoder = new Encoder();
afterAll(() => encoder.close());

let lake: ObjectLake;
let holding: Holding;
let stored: number;

beforeEach(() => {
  lake = new ObjectLake();
  holding = new Holding(lake, encoder, { pipeline: 'test', dedupeMs: 1_000 });
  stored = 0;
});

function hold(events = 3, source = 'app'): HeldBatch {
  const deliveries = Array.from({ length: events }, (_, n) => ({
    id: newId(),
    receipt: `receipt ${n}`,
    body: Buffer.from(JSON.stringify({ n })),
    attributes: {},
    sentAt: new Date(),
  }));
  const batch: HeldBatch = {
    source,
    batch: newId(),
    events,
    bytes: 100,
    receipts: deliveries.map(({ receipt }) => receipt),
    content: deliveries,
    onStored: () => stored++,
  };
  holding.add(batch);
  return batch;
}

test('writes the object, says what it wrote, and lets the bytes go', async () => {
  const batch = hold();
  const reference = await holding.persist(batch);
  const [key] = lake.objects.keys();
  expect(reference).toMatchObject({ v: 1, pipeline: 'test', lake: lake.uri, key, batch: batch.batch, events: 3 });
  const name = parseObjectKey(key!);
  expect(name).toMatchObject({ source: 'app', batch: batch.batch, events: 3 });
  expect((reference as { sha256: string }).sha256.startsWith(name!.hash)).toBe(true);
  expect(batch.content).toBeUndefined();
  expect(stored).toBe(1);
});

test('a second persist says the same, and writes nothing', async () => {
  const batch = hold();
  const first = await holding.persist(batch);
  expect(await holding.persist(batch)).toEqual(first);
  expect(lake.puts).toHaveLength(1);
  expect(stored).toBe(1);
});

test('two at once write the same bytes under the same key', async () => {
  const batch = hold();
  const [one, other] = await Promise.all([holding.persist(batch), holding.persist(batch)]);
  expect(one).toEqual(other);
  expect(lake.objects.size).toBe(1);
  expect(stored).toBe(1);
});

test('of each source those events count that the lake has not', async () => {
  const [first] = [hold(3), hold(4), hold(5, 'web')];
  expect([holding.eventsOf('app'), holding.eventsOf('web'), holding.eventsOf('other')]).toEqual([7, 5, 0]);
  await holding.persist(first);
  expect(holding.eventsOf('app')).toBe(4);
});

test('a batch that is not held any more, or never was, is returned', async () => {
  const batch = hold();
  holding.drop(batch);
  expect(stored).toBe(1);
  expect(await holding.persist(batch)).toBe('returned');
  expect(await holding.persist({ source: 'app', batch: newId() })).toBe('returned');
  expect(lake.puts).toEqual([]);
});

test('one that is dropped while it is written is let go once', async () => {
  const batch = hold();
  lake.faults.put = () => {
    holding.drop(batch);
    return Promise.resolve();
  };
  await holding.persist(batch);
  expect(stored).toBe(1);
});

test('after a failure the lake counts as failing until a write goes well, and the bytes are kept', async () => {
  const batch = hold();
  lake.faults.put = () => Promise.reject(new Unavailable('the lake is down'));
  await expect(holding.persist(batch)).rejects.toThrow('the lake is down');
  expect(holding.failing).toBe(true);
  expect(batch.content).toBeDefined();
  expect(stored).toBe(0);
  delete lake.faults.put;
  const { events } = (await holding.persist(batch)) as { events: number };
  expect(events).toBe(3);
  expect(holding.failing).toBe(false);
  expect(stored).toBe(1);
});

test('an object that an earlier put left is read back before it counts as stored', async () => {
  const batch = hold();
  lake.faults.put = async () => {
    delete lake.faults.put;
    const body = await (batch.content as Promise<{ body: Uint8Array }>);
    lake.objects.set(lake.puts[0]!, { body: body.body, writtenAt: new Date() });
    throw new Unavailable('no answer');
  };
  await expect(holding.persist(batch)).rejects.toThrow('no answer');
  const reference = await holding.persist(batch);
  expect(lake.gets).toEqual([lake.puts[0]]);
  expect(reference).toMatchObject({ key: lake.puts[0], events: 3 });
  expect(stored).toBe(1);
});

test('a key that holds other bytes fails the batch, which is returned then: its messages come again as another', async () => {
  const batch = hold();
  lake.faults.put = (key) => {
    lake.objects.set(key, { body: Buffer.from('half of it'), writtenAt: new Date() });
    return Promise.resolve();
  };
  await expect(holding.persist(batch)).rejects.toThrow(LakeCorrupt);
  expect(batch.reference).toBeUndefined();
  expect(holding.failing).toBe(false);
  expect(stored).toBe(1);
  expect(await holding.persist(batch)).toBe('returned');
});

test('what cannot be encoded fails with the reason, and is returned then: its bytes are gone', async () => {
  const closed = new Encoder();
  await closed.close();
  holding = new Holding(lake, closed, { pipeline: 'test', dedupeMs: 1_000 });
  const batch = hold();
  await expect(holding.persist(batch)).rejects.toThrow(Unavailable);
  expect(holding.failing).toBe(true);
  expect(stored).toBe(1);
  expect(await holding.persist(batch)).toBe('returned');
});

test('memory that a message has for itself is handed over, and shared memory stays what it was', async () => {
  const own = new Uint8Array(Buffer.from(`{"own":"${'x'.repeat(5_000)}"}`));
  const pool = Buffer.from('{"a":1}{"b":2}');
  const deliveries = [own, pool.subarray(0, 7), pool.subarray(7)].map((body) => ({
    ...{ id: newId(), attributes: {}, sentAt: new Date(), body },
  }));
  const { events } = await encoder.encode({ source: 'app', batch: newId(), dedupeMs: 1_000, deliveries });
  expect(events).toBe(3);
  expect(own).toHaveLength(0);
  expect(pool.toString()).toBe('{"a":1}{"b":2}');
});

test('memory that was handed away before fails its own batch, and no other waits for it', async () => {
  const body = new Uint8Array(5_000);
  structuredClone(body.buffer, { transfer: [body.buffer] });
  const deliveries = [{ id: newId(), attributes: {}, sentAt: new Date(), body }];
  const encoding = encoder.encode({ source: 'app', batch: newId(), dedupeMs: 1_000, deliveries });
  await expect(encoding).rejects.toThrow(Unavailable);
  expect(((await holding.persist(hold())) as { events: number }).events).toBe(3);
});

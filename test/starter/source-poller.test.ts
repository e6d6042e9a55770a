import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gunzipSync, gzipSync } from 'node:zlib';

import { LakeCorrupt, Unavailable } from '../../src/errors.js';
import { Encoder } from '../../src/starter/encoder.js';
import { Holding, type HeldBatch } from '../../src/starter/holding.js';
import { SourcePoller, type IngestRun } from '../../src/starter/source-poller.js';
import { LeasingQueue } from '../fakes/leasing-queue.js';
import { keptLog } from '../fakes/log.js';
import { ObjectLake } from '../fakes/object-lake.js';
import { until } from '../until.js';

const encoder = new Encoder();
afterAll(() => encoder.close());

const { log, lines } = keptLog();
let queue: LeasingQueue;
let lake: ObjectLake;
let holding: Holding;
let stop: AbortController;
let giveUp: AbortController;
let running: Promise<void>;
/** Batches whose ingest was started, again or not. */
let started: HeldBatch[];

beforeEach(() => {
  lines.length = 0;
  started = [];
  queue = new LeasingQueue();
  lake = new ObjectLake();
  holding = new Holding(lake, encoder, { pipeline: 'test', dedupeMs: 1_000 });
});

afterEach(async () => {
  stop.abort();
  giveUp.abort();
  await running;
});

const persisted: IngestRun = async (batch) => ((await holding.persist(batch)) === 'returned' ? 'returned' : 'stored');

function poll({ ingest = persisted, lingerMs = 0, leaseMs = 30_000 } = {}): void {
  stop = new AbortController();
  giveUp = new AbortController();
  const noted: IngestRun = (batch) => {
    started.push(batch);
    return ingest(batch);
  };
  const poller = new SourcePoller({
    source: 'app',
    queue,
    holding,
    ingest: noted,
    leaseMs,
    lingerMs,
    log,
  });
  running = poller.run(stop.signal, giveUp.signal);
}

function bodies(count: number, bytes = 10): { body: Buffer }[] {
  const body = Buffer.alloc(bytes, 'x');
  return Array.from({ length: count }, () => ({ body }));
}

/** A door that is shut until it is opened. */
function door(): { pass: () => Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { pass: () => opened, open: () => open() };
}

function storedIds(): string[] {
  return [...lake.objects.values()].flatMap(({ body }) =>
    gunzipSync(body)
      .toString('utf8')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { id: string }).id),
  );
}

test('what is stored is acknowledged, and nothing before', async () => {
  const lakeDoor = door();
  lake.faults.put = lakeDoor.pass;
  const ids = queue.put(...bodies(250));
  poll();
  await until('a put', () => lake.puts.length > 0);
  expect(queue.acknowledged).toEqual([]);
  lakeDoor.open();
  await until('an empty queue', () => queue.size === 0);
  expect(queue.acknowledged.toSorted()).toEqual(ids.toSorted());
  expect(storedIds().toSorted()).toEqual(ids.toSorted());
});

test('a batch whose key holds other bytes is not acknowledged: its messages are stored as another', async () => {
  lake.faults.put = (key) => {
    delete lake.faults.put;
    lake.objects.set(key, { body: gzipSync('half of it'), writtenAt: new Date() });
    return Promise.resolve();
  };
  const ids = queue.put(...bodies(3));
  // As the workflow does, which finds what took the key.
  const ingest: IngestRun = async (batch) => {
    if ((await holding.persist(batch)) === 'returned') throw new LakeCorrupt('not what its key says');
    return 'stored';
  };
  poll({ ingest });
  await until('an empty queue', () => queue.size === 0);
  expect(lake.puts).toHaveLength(2);
  lake.objects.delete(lake.puts[0]!);
  expect(storedIds().toSorted()).toEqual(ids.toSorted());
});

test('messages that come while a batch lingers go with it; the first after a pause does not wait', async () => {
  poll({ lingerMs: 3_000 });
  await until('a receive', () => queue.receives > 0);
  await sleep(3_000);
  const putAt = performance.now();
  queue.put(...bodies(1));
  await until('the first', () => started.length === 1);
  expect(performance.now() - putAt).toBeLessThan(2_000);
  for (let n = 0; n < 3; n++) {
    queue.put(...bodies(1));
    await until('it was received', () => queue.waiting.length === 0);
  }
  expect(started).toHaveLength(1);
  await until('the second', () => started.length === 2);
  expect(started.map(({ events }) => events)).toEqual([1, 3]);
});

test('a batch that is under way holds up the next one no longer than its linger', async () => {
  const ingestDoor = door();
  poll({
    lingerMs: 2_000,
    ingest: async (batch) => {
      await ingestDoor.pass();
      return persisted(batch);
    },
  });
  queue.put(...bodies(1));
  await until('the first', () => started.length === 1);
  for (let n = 0; n < 3; n++) {
    queue.put(...bodies(1));
    await until('it was received', () => queue.waiting.length === 0);
  }
  expect(started).toHaveLength(1);
  await until('the second', () => started.length === 2);
  expect(started.map(({ events }) => events)).toEqual([1, 3]);
  ingestDoor.open();
});

test('nor does the pause after a request that brought few, where requests bring few', async () => {
  queue = new LeasingQueue({ receiveMessages: 10 });
  const lingerMs = 3_000;
  const ingestDoor = door();
  poll({ lingerMs, ingest: (batch) => ingestDoor.pass().then(() => persisted(batch)) });
  queue.put(...bodies(1));
  await until('the first', () => started.length === 1);
  const openedAt = performance.now();
  queue.put(...bodies(1));
  // The pause after this one is under way when the linger is over.
  await sleep(lingerMs - 150);
  queue.put(...bodies(1));
  await until('the second', () => started.length === 2);
  expect(performance.now() - openedAt).toBeLessThan(1.5 * lingerMs);
  ingestDoor.open();
});

test('a full batch does not linger', async () => {
  queue.put(...bodies(20_001));
  poll({ lingerMs: 60_000 });
  await until('a batch', () => started.length === 1);
  expect(started[0]!.events).toBe(20_000);
});

test('so many batches are in flight and no more, however deep the backlog', async () => {
  const ingestDoor = door();
  queue.put(...bodies(30_000));
  poll({
    ingest: async (batch) => {
      await ingestDoor.pass();
      return persisted(batch);
    },
  });
  await until('four batches', () => started.length === 4);
  // One more batch fills up while it waits for its turn.
  await until('a whole batch beside them', () => queue.waiting.length <= 30_000 - 4 * 100 - 20_000);
  expect(queue.waiting.length).toBeGreaterThan(9_000);
  expect(started).toHaveLength(4);
  ingestDoor.open();
  await until('an empty queue', () => queue.size === 0);
  expect(new Set(started.map(({ batch }) => batch)).size).toBe(started.length);
});

test.each([
  ['of 1 MB', 120, 1_000_000],
  ['of 10 MB', 20, 10_000_000],
])(
  'bytes that are held stay within 48 MB with a backlog of bodies %s',
  async (_what, count, bytes) => {
    let received = 0;
    let stored = 0;
    let most = 0;
    const receive = queue.receive.bind(queue);
    queue.receive = async (want) => {
      const deliveries = await receive(want);
      received += deliveries.reduce((sum, { body }) => sum + body.length, 0);
      most = Math.max(most, received - stored);
      return deliveries;
    };
    const lakeDoor = door();
    lake.faults.put = lakeDoor.pass;
    queue.put(...bodies(count, bytes));
    poll();
    await until('the lake asked three times', () => lake.puts.length >= 3, 60_000);
    expect(received).toBeLessThan(count * bytes);
    lake.faults.put = () => {
      stored = received;
      return Promise.resolve();
    };
    lakeDoor.open();
    expect(most).toBeGreaterThan(20_000_000);
    expect(most).toBeLessThanOrEqual(48_000_000);
    await until('an empty queue', () => queue.size === 0, 60_000);
  },
  150_000,
);

test('bytes that are stored are gone, though their doorbell cannot ring yet', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const seen: WeakRef<Uint8Array>[] = [];
  const receive = queue.receive.bind(queue);
  queue.receive = async (want) =>
    (await receive(want)).map((delivery) => {
      const body = Uint8Array.from(delivery.body);
      seen.push(new WeakRef(body));
      return { ...delivery, body };
    });
  const relay = door();
  queue.put(...bodies(3, 100_000));
  poll({
    ingest: async (batch) => {
      await holding.persist(batch);
      await relay.pass();
      return 'stored';
    },
  });
  await until('three received', () => seen.length === 3);
  await until('the bytes gone', () => {
    collectGarbage();
    return seen.every((body) => body.deref() === undefined);
  });
  expect(queue.acknowledged).toEqual([]);
  relay.open();
  await until('an empty queue', () => queue.size === 0);
});

test('while the lake takes nothing, no more is received', async () => {
  let attempts = 0;
  lake.faults.put = () => {
    attempts++;
    return Promise.reject(new Unavailable('the lake is down'));
  };
  poll({
    ingest: async (batch) => {
      for (;;) {
        try {
          return await persisted(batch);
        } catch {
          await sleep(20);
        }
      }
    },
  });
  queue.put(...bodies(1));
  await until('a failure', () => holding.failing);
  // A request that was under way brings what comes now.
  queue.put(...bodies(1));
  const before = attempts;
  await until('many attempts', () => attempts > before + 10);
  queue.put(...bodies(5));
  const then = attempts;
  await until('many attempts more', () => attempts > then + 30);
  expect(queue.waiting).toHaveLength(5);
  delete lake.faults.put;
  await until('an empty queue', () => queue.size === 0);
});

test('an ingest that fails or brings the batch back is started again, with the same batch', async () => {
  const ends: (() => ReturnType<IngestRun>)[] = [
    () => Promise.reject(new Unavailable('Temporal does not answer')),
    () => Promise.resolve('returned'),
    () => persisted(started[0]!),
  ];
  const ids = queue.put(...bodies(3));
  poll({ ingest: () => ends.shift()!() });
  await until('an empty queue', () => queue.size === 0);
  expect(started.map(({ batch }) => batch)).toEqual(Array.from({ length: 3 }, () => started[0]!.batch));
  expect(storedIds().toSorted()).toEqual(ids.toSorted());
  expect(ids.map((id) => queue.deliveriesOf(id))).toEqual([0, 0, 0]); // gone
});

test('stored is what the workflow says, also where the bytes were thought to be here still', async () => {
  queue.put(...bodies(3));
  poll({ ingest: () => Promise.resolve('stored') });
  await until('an empty queue', () => queue.size === 0);
});

test('a batch that was stored here and is not in the lake goes back to the queue', async () => {
  const [id] = queue.put(...bodies(1));
  poll({
    ingest: async (batch) => {
      await holding.persist(batch);
      if (started.length > 1) return 'stored';
      lake.objects.clear();
      return 'returned';
    },
  });
  await until('an empty queue', () => queue.size === 0);
  expect(started).toHaveLength(2);
  expect(started[0]!.batch).not.toBe(started[1]!.batch);
  expect(storedIds()).toEqual([id]);
});

test('a batch whose leases lapsed is let go, and its messages come again', async () => {
  const ids = queue.put(...bodies(2));
  queue.faults.extend = () => Promise.reject(new Unavailable('nothing is extended'));
  poll({
    leaseMs: 1_000,
    ingest: async (batch) => {
      if (batch !== started[0]) return persisted(batch);
      if (queue.faults.extend !== undefined) {
        await until('lapsed', () => ids.every((id) => queue.deliveriesOf(id) !== 1 || queue.waiting.includes(id)));
      }
      delete queue.faults.extend;
      throw new Unavailable('Temporal does not answer');
    },
  });
  await until('an empty queue', () => queue.size === 0);
  expect(new Set(storedIds())).toEqual(new Set(ids));
  expect(new Set(started.map(({ batch }) => batch)).size).toBeGreaterThan(1);
});

test('a source that does not answer is asked again', async () => {
  let failures = 0;
  queue.faults.receive = () => {
    if (failures++ > 0) return Promise.resolve();
    return Promise.reject(new Unavailable('the queue is down'));
  };
  queue.put(...bodies(3));
  poll();
  await until('an empty queue', () => queue.size === 0);
  expect(lines.join('')).toContain('does not answer');
});

test('at the end what is held is stored at once', async () => {
  const ids = queue.put(...bodies(3));
  poll({ lingerMs: 60_000 });
  await until('all received', () => queue.waiting.length === 0);
  expect(started).toEqual([]);
  stop.abort();
  await running;
  expect(queue.size).toBe(0);
  expect(storedIds().toSorted()).toEqual(ids.toSorted());
});

test('what cannot be stored by the end goes back at once', async () => {
  lake.faults.put = () => Promise.reject(new Unavailable('the lake is down'));
  queue.put(...bodies(3));
  poll();
  await until('an ingest', () => started.length > 0);
  stop.abort();
  giveUp.abort();
  await running;
  expect(queue.waiting).toHaveLength(3);
  await until('the batch let go', () => started[0]!.content === undefined);
});

test('a batch that is lost on its way to the lake comes again from the queue, later and with a word', async () => {
  class EndsOnce extends Encoder {
    #ended = false;
    override encode(batch: Parameters<Encoder['encode']>[0]): ReturnType<Encoder['encode']> {
      if (this.#ended) return encoder.encode(batch);
      this.#ended = true;
      return Promise.reject(new Unavailable('the thread ended'));
    }
  }
  holding = new Holding(lake, new EndsOnce(), { pipeline: 'test', dedupeMs: 1_000 });
  const ids = queue.put(...bodies(3));
  poll();
  await until('an empty queue', () => queue.size === 0);
  expect(storedIds().toSorted()).toEqual(ids.toSorted());
  expect(queue.extended.filter(({ leaseMs }) => leaseMs === 5_000).flatMap(({ receipts }) => receipts)).toHaveLength(3);
  expect(lines.join('')).toContain('could not be stored');
});

test('nothing of an event is said, whatever goes wrong', async () => {
  lake.faults.put = () => Promise.reject(new Unavailable('the lake is down'));
  const attributes = { 'catchment-packed': '1', note: 'SECRET' };
  queue.put({ body: Buffer.from('SECRET'), attributes });
  poll();
  await until('a warning', () => lines.some((line) => line.includes('did not end well')));
  expect(lines.join('')).toContain('cannot be read');
  expect(lines.join('')).not.toContain('SECRET');
});

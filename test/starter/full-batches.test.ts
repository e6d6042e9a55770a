import { setTimeout as sleep } from 'node:timers/promises';

import { Encoder } from '../../src/starter/encoder.js';
import { Holding, type HeldBatch } from '../../src/starter/holding.js';
import { SourcePoller } from '../../src/starter/source-poller.js';
import { LeasingQueue } from '../fakes/leasing-queue.js';
import { keptLog } from '../fakes/log.js';
import { ObjectLake } from '../fakes/object-lake.js';
import { until } from '../until.js';

const lingerMs = 10;
const encoder = new Encoder();
afterAll(() => encoder.close());

test('a batch that cannot grow for want of memory waits for it, while another is under way', async () => {
  // 48 MB may be held: after two of these there is no room for another request of 30 MB.
  const queue = new LeasingQueue({ receiveBytes: 30_000_000 });
  for (const bytes of [12_000_000, 10_000_000, 5_000_000, 6_000_000]) queue.put({ body: Buffer.alloc(bytes, 'x') });
  const holding = new Holding(new ObjectLake(), encoder, { pipeline: 'test', dedupeMs: 1_000 });
  const started: HeldBatch[] = [];
  let store = (): void => undefined;
  let end = (): void => undefined;
  const stores = new Promise<void>((resolve) => (store = resolve));
  const ends = new Promise<void>((resolve) => (end = resolve));
  const poller = new SourcePoller({
    ...{
      source: 'app',
      queue,
      holding,
      leaseMs: 30_000,
      lingerMs,
      log: keptLog().log,
    },
    async ingest(batch) {
      started.push(batch);
      await stores;
      await holding.persist(batch);
      await ends;
      return 'stored';
    },
  });
  const [stop, giveUp] = [new AbortController(), new AbortController()];
  const run = poller.run(stop.signal, giveUp.signal);
  await until('the first batch', () => started.length > 0);
  // So that it would have gone, if it went when its linger is over.
  await sleep(10 * lingerMs);
  expect(started.map(({ events }) => events)).toEqual([1]);
  store();
  await until('the second batch', () => started.length > 1);
  expect(started[1]!.events).toBe(2);
  end();
  await until('an empty queue', () => queue.size === 0);
  stop.abort();
  await run;
});

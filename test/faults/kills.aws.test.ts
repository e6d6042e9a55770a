import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { AwsPlace } from '../aws/place.js';
import { kill } from '../integration/dev-harness.js';
import { startElasticMq } from '../standins/elasticmq.js';
import type { StandIn } from '../standins/process.js';
import { startSeaweedFs } from '../standins/seaweedfs.js';
import { until } from '../until.js';
import { lastPassed, type Point } from './config/points.js';
import { Pipeline } from './pipeline.js';
import { expectProved } from './proof.js';
import { seeded, shuffled } from './random.js';
import { arrives, whileSending } from './sender.js';
import { Watch } from './watch.js';

/** Where kills of our own must fall. Those of the poller stand between those of the worker, whose loads wait for a heartbeat. */
const aims: readonly Point[] = ['stored', 'committed', 'before acknowledge of source', 'relayed'];
/** At any moment of the work. */
const atRandom = ['tree', 'sqs', 's3'] as const;

const eventsPerSecond = 150;

const folder = mkdtempSync(join(tmpdir(), 'catchment-kills-'));
/** Of this file alone. */
let services: Readonly<Record<'sqs' | 's3', StandIn>>;
let place: AwsPlace;
let pipeline: Pipeline;
let watch: Watch | undefined;
beforeAll(async () => {
  const own = (name: string): string => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  };
  const [sqs, s3] = await Promise.all([startElasticMq(own('sqs')), startSeaweedFs(own('s3'))]);
  services = { sqs, s3 };
  place = new AwsPlace({ sqs: sqs.endpoint, s3: s3.endpoint });
  pipeline = new Pipeline(join(import.meta.dirname, 'config', 'aws.config.ts'), place.surroundings());
  expect(await pipeline.run(['provision'])).toMatchObject({ status: 0 });
}, 180_000);
afterAll(async () => {
  await watch?.close();
  await pipeline.close();
  place.close();
  await Promise.all(Object.values(services).map((service) => service.stop()));
  rmSync(folder, { recursive: true, maxRetries: 5 });
}, 60_000);

test('SIGKILL of the poller, the worker, all of it, ElasticMQ or SeaweedFS under load: all goes on by itself, nothing is lost, nothing is there twice', async () => {
  await seeded('test/faults/kills.aws.test.ts', async (random) => {
    const fell: string[] = [];
    watch = await Watch.start(pipeline);
    /** The service is killed while a process stands whose next call is one of it. */
    const withoutService = async (
      service: 'sqs' | 's3',
      point: Point,
      meanwhile: (pid: number) => Promise<void> = () => Promise.resolve(),
    ): Promise<void> => {
      const stop = await pipeline.stopAt(point);
      await services[service].kill();
      fell.push(`${service} at ${lastPassed(pipeline.dataDir, stop.pid)}`);
      kill(stop.pid, 'SIGCONT');
      await meanwhile(stop.pid);
      await services[service].restart();
    };
    const sent = await whileSending(
      pipeline,
      async (sender) => {
        const goesOn = (): Promise<void> => arrives(pipeline, sender.sent);
        await goesOn();
        for (const point of aims) {
          const stop = await pipeline.stopAt(point);
          fell.push(`${lastPassed(pipeline.dataDir, stop.pid)}`);
          kill(stop.pid, 'SIGKILL');
        }
        // What this poller has is nowhere but on the queue.
        await withoutService('s3', 'received from source', async (poller) => {
          await until('a batch that cannot be stored', async () => {
            const pending = await watch!.pending('ingestBatch');
            return pending.some(({ activity, error }) => activity === 'persist' && error.includes('writing raw/'));
          });
          kill(poller, 'SIGKILL');
        });
        await goesOn();
        await withoutService('sqs', 'before acknowledge of source');
        await goesOn();
        for (const victim of shuffled(atRandom, random)) {
          await pipeline.working();
          await sleep(random() * 1_000);
          fell.push(victim);
          if (victim === 'tree') {
            await pipeline.killTree();
            await pipeline.start();
          } else {
            await services[victim].kill();
            await services[victim].restart();
          }
          await goesOn();
        }
      },
      eventsPerSecond,
    );
    await pipeline.settle();
    await pipeline.freshEvent(sent);
    const compared = await expectProved(pipeline);
    const verdict = await pipeline.judge();
    console.log('killed at', fell, verdict, compared);
    expect(verdict.faults).toEqual([]);
    expect(compared).toMatchObject({ singles: verdict.rows['singles'], checked: verdict.events.inLake });
    expect(fell).toHaveLength(aims.length + 2 + atRandom.length);
    for (const queue of ['app', 'app-dead', 'secondary', 'secondary-dead'])
      expect([queue, await place.backlog(queue)]).toEqual([queue, { waiting: 0, leased: 0 }]);
  });
}, 400_000);

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { S3Bucket, SqsQueues } from '../aws/place.js';
import { CloudPlace } from '../cloud/place.js';
import { startElasticMq } from '../standins/elasticmq.js';
import type { StandIn } from '../standins/process.js';
import { startSeaweedFs } from '../standins/seaweedfs.js';
import { expectToSurviveKills, type Victim } from './cloud-kills.js';
import { Pipeline } from './pipeline.js';

const folder = mkdtempSync(join(tmpdir(), 'catchment-kills-'));
/** Of this file alone. */
let queues: StandIn;
let lake: StandIn;
let place: CloudPlace;
let pipeline: Pipeline;
beforeAll(async () => {
  const own = (name: string): string => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  };
  [queues, lake] = await Promise.all([startElasticMq(own('sqs')), startSeaweedFs(own('s3'))]);
  place = new CloudPlace(new SqsQueues(queues.endpoint), new S3Bucket(lake.endpoint));
  pipeline = new Pipeline(join(import.meta.dirname, 'config', 'cloud.config.ts'), place.surroundings());
  expect(await pipeline.run(['provision'])).toMatchObject({ status: 0 });
}, 180_000);
afterAll(async () => {
  await pipeline.close();
  await place.close();
  await Promise.all([queues.stop(), lake.stop()]);
  rmSync(folder, { recursive: true, maxRetries: 5 });
}, 60_000);

const killed = (standIn: StandIn): Victim => ({ goAway: () => standIn.kill(), comeBack: () => standIn.restart() });

test('SIGKILL of the poller, the worker, all of it, ElasticMQ or SeaweedFS under load: all goes on by itself, nothing is lost, nothing is there twice', async () => {
  const services = { queues: killed(queues), lake: killed(lake) };
  await expectToSurviveKills('test/faults/kills.aws.test.ts', pipeline, place, services);
}, 400_000);

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { CloudPlace } from '../cloud/place.js';
import { GcsBucket, PubsubQueues } from '../gcp/place.js';
import { startFakeGcs } from '../standins/fake-gcs.js';
import { pubsubAdmin, pubsubEndpoint } from '../standins/gcp.js';
import type { StandIn } from '../standins/process.js';
import { TcpProxy } from '../standins/tcp-proxy.js';
import { until } from '../until.js';
import { expectToSurviveKills, type Victim } from './cloud-kills.js';
import { Pipeline } from './pipeline.js';

const folder = mkdtempSync(join(tmpdir(), 'catchment-kills-'));
/** Of this file alone, as is the way to Pub/Sub, which keeps nothing when it is killed itself. */
let lake: StandIn;
let way: TcpProxy;
let place: CloudPlace;
let pipeline: Pipeline;
beforeAll(async () => {
  lake = await startFakeGcs(folder);
  way = await TcpProxy.start(await pubsubEndpoint());
  place = new CloudPlace(new PubsubQueues(await pubsubEndpoint(), await pubsubAdmin()), new GcsBucket(lake.endpoint));
  const reached = { PLACE_PUBSUB: way.endpoint };
  pipeline = new Pipeline(join(import.meta.dirname, 'config', 'cloud.config.ts'), place.surroundings(reached));
  expect(await pipeline.run(['provision'])).toMatchObject({ status: 0 });
}, 180_000);
afterAll(async () => {
  await pipeline.close();
  await place.close();
  await Promise.all([way.close(), lake.stop()]);
  rmSync(folder, { recursive: true, maxRetries: 5 });
}, 60_000);

test('SIGKILL of the poller, the worker, all of it or fake-gcs-server under load, and Pub/Sub away: all goes on by itself, nothing is lost, nothing is there twice', async () => {
  const queues: Victim = {
    async goAway() {
      const before = way.refused;
      way.cut();
      // Somebody has found out.
      await until('a call of Pub/Sub to be refused', () => way.refused > before);
    },
    comeBack() {
      way.open();
      return Promise.resolve();
    },
  };
  const services = { queues, lake: { goAway: () => lake.kill(), comeBack: () => lake.restart() } };
  await expectToSurviveKills('test/faults/kills.gcp.test.ts', pipeline, place, services);
}, 400_000);

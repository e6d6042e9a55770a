import { join } from 'node:path';

import { gcs } from '../../src/providers/gcp/gcs.js';
import { pubsub } from '../../src/providers/gcp/pubsub.js';
import type { Place } from '../../src/providers/provider.js';
import { CloudPlace } from '../cloud/place.js';
import { Pipeline } from '../faults/pipeline.js';
import { GcsBucket, PubsubQueues } from '../gcp/place.js';
import { FaultProxy } from '../standins/fault-proxy.js';
import { gcsEndpoint, pubsubAdmin, pubsubEndpoint } from '../standins/gcp.js';
import { partOfReceipts, PubsubFaults, type PubsubFault } from '../standins/pubsub-faults.js';
import { expectNoLeaks } from './privacy/no-leaks.js';

const minutes = 60_000;
let endpoint: string;
let place: CloudPlace;
let pipeline: Pipeline;
let gcsProxy: FaultProxy;
let faults: PubsubFaults;
beforeAll(async () => {
  endpoint = await pubsubEndpoint();
  const [admin, lake] = [await pubsubAdmin(), await gcsEndpoint()];
  place = new CloudPlace(new PubsubQueues(endpoint, admin), new GcsBucket(lake));
  gcsProxy = await FaultProxy.start({ target: lake });
  const reached = { PLACE_GCS: gcsProxy.endpoint };
  pipeline = new Pipeline(join(import.meta.dirname, 'privacy', 'cloud.config.ts'), place.surroundings(reached));
  expect(await pipeline.run(['provision'])).toMatchObject({ status: 0 });
  faults = new PubsubFaults(admin, `projects/${place.name}/`);
}, 3 * minutes);
afterAll(async () => {
  await pipeline.close();
  await place.close();
  await gcsProxy.close();
}, minutes);

/** Errors that quote all that they were asked: those that the client tries again, and those that it does not. */
const quoting: readonly PubsubFault[] = [
  { method: 'Publish', times: 2, code: 'INTERNAL', quote: true },
  { method: 'Publish', nth: 4, code: 'PERMISSION_DENIED', quote: true },
  { method: 'Acknowledge', share: 0.3, code: 'PERMISSION_DENIED', quote: true },
  { method: 'ModifyAckDeadline', share: 0.3, code: 'UNAUTHENTICATED', quote: true },
];
/** So that receipts are used that the subscription takes no more. */
const stale: readonly PubsubFault[] = [
  { kind: 'ackids', method: 'Acknowledge', share: 0.2 },
  { kind: 'redeliver', share: 0.2 },
];

test(
  'on Pub/Sub and GCS no byte of an event, no attribute and no receipt is in a history, a log, an error or a reason',
  async () => {
    const rulings = await Promise.all([...quoting, ...stale].map((fault) => faults.rule(fault)));
    const at = (part: string): Place => ({ pipeline: 'privacy', dataDir: 'unused', part });
    await expectNoLeaks(pipeline, {
      queue(part) {
        const name = `${place.name}-${part === 'secondary' ? part : 'app'}`;
        return pubsub({ topic: name, subscription: name, projectId: place.name, endpoint }).open(at(part));
      },
      lake: gcs({ bucket: place.name, prefix: 'lake', endpoint: await gcsEndpoint() }).open(at('lake')),
      receipts: () => [partOfReceipts],
      loseLake: () => gcsProxy.goAway(),
      restoreLake: () => gcsProxy.clear(),
      async rawObjects() {
        const folder = join(pipeline.folder.dir, 'objects');
        await place.fetchLake(folder);
        return folder;
      },
    });
    for (const { happened } of rulings) expect(await happened()).toBeGreaterThan(0);
  },
  5 * minutes,
);

import { join } from 'node:path';

import { pubsub } from '../../src/providers/gcp/pubsub.js';
import type { Queue } from '../../src/providers/queue.js';
import { CloudPlace } from '../cloud/place.js';
import { GcsBucket, PubsubQueues } from '../gcp/place.js';
import { FaultProxy } from '../standins/fault-proxy.js';
import { gcsError } from '../standins/faults/gcs-errors.js';
import { cutAfter, delay, halfOpen, halfOpenAfter, loseReply } from '../standins/faults/generic.js';
import type { Rule } from '../standins/faults/rules.js';
import { gcsEndpoint, pubsubAdmin, pubsubEndpoint } from '../standins/gcp.js';
import { PubsubFaults, type PubsubFault } from '../standins/pubsub-faults.js';
import { TcpProxy } from '../standins/tcp-proxy.js';
import { until } from '../until.js';
import { expectToSurviveNetwork, type Network, type Standing } from './cloud-network.js';
import { Pipeline } from './pipeline.js';

const settling = ['Acknowledge', 'ModifyAckDeadline'] as const;

/** In one behind the other: what a call that is chosen by several meets first. */
const onPubsub: readonly PubsubFault[] = [
  { method: 'Publish', times: 3, after: true, hang: true },
  { method: 'Pull', nth: 20, hang: true },
  { method: 'Acknowledge', nth: 5, hang: true },
  { method: 'ModifyAckDeadline', nth: 2, hang: true },
  ...(['INTERNAL', 'UNAVAILABLE', 'RESOURCE_EXHAUSTED'] as const).map((code): PubsubFault => ({ share: 0.03, code })),
  ...['Publish', ...settling].map((method): PubsubFault => ({ method, share: 0.1, code: 'UNAVAILABLE', after: true })),
  // What it handed out is hidden for a lease.
  { method: 'Pull', share: 0.03, code: 'UNAVAILABLE', after: true },
  ...settling.map((method): PubsubFault => ({ kind: 'ackids', method, share: 0.1 })),
  { kind: 'redeliver', share: 0.2 },
  { kind: 'lapse', share: 0.2 },
  { kind: 'duplicate', share: 0.2 },
  { kind: 'late', share: 0.2, delayMs: 500 },
];
const [put, get] = ['insertObject', 'getObject'];
/** Before all others, any of which may keep one of these from happening. */
const onGcsOnce: readonly Rule[] = [
  { when: { operation: put, nth: 4 }, fault: halfOpen() },
  { when: { operation: get, nth: 4 }, fault: halfOpen() },
  { when: { operation: get }, times: 1, fault: halfOpenAfter(100) },
];
const onGcs: readonly Rule[] = [
  { share: 0.05, fault: gcsError(500, 'internalError') },
  { share: 0.05, fault: gcsError(503, 'backendError') },
  { share: 0.05, fault: gcsError(429, 'rateLimitExceeded') },
  { when: { operation: put }, share: 0.2, fault: loseReply() },
  // Longer than half a lease: what waits for it is extended meanwhile.
  { when: { operation: put }, share: 0.2, fault: delay(4_000) },
  { when: { operation: get }, share: 0.2, fault: cutAfter(100) },
];

let place: CloudPlace<PubsubQueues>;
let pipeline: Pipeline;
let way: TcpProxy;
let gcs: FaultProxy;
let faults: PubsubFaults;
beforeAll(async () => {
  const [endpoint, admin, lake] = [await pubsubEndpoint(), await pubsubAdmin(), await gcsEndpoint()];
  way = await TcpProxy.start(endpoint);
  gcs = await FaultProxy.start({ target: lake });
  place = new CloudPlace(new PubsubQueues(endpoint, admin), new GcsBucket(lake));
  const reached = { PLACE_PUBSUB: way.endpoint, PLACE_GCS: gcs.endpoint };
  pipeline = new Pipeline(join(import.meta.dirname, 'config', 'cloud.config.ts'), place.surroundings(reached));
  expect(await pipeline.run(['provision'])).toMatchObject({ status: 0 });
  faults = new PubsubFaults(admin, `projects/${place.name}/`);
}, 120_000);
afterAll(async () => {
  await pipeline.close();
  await place.close();
  await Promise.all([way.close(), gcs.close()]);
}, 60_000);

/** As the pipeline has it. */
const openApp = (): Queue => {
  const name = `${place.name}-app`;
  const at = { projectId: place.name, endpoint: way.endpoint };
  return pubsub({ topic: name, subscription: name, ...at }).open({
    ...{ pipeline: 'faults', dataDir: 'unused', part: 'source-app' },
  });
};

test('Pub/Sub and GCS refuse, answer too late, in part, or never, and deliver again, twice, late and in no order; then for a while every socket is half-open: all goes on by itself, nothing is lost, nothing is there twice', async () => {
  const network: Network = {
    async disturb() {
      const standing = (rule: Rule): [string, Standing] => [
        `${rule.fault.name} ${String(rule.when?.operation ?? '')}`,
        gcs.rule(rule),
      ];
      const once = onGcsOnce.map(standing);
      await until('half-open calls of GCS', () => once.every(([, { happened }]) => happened === 1), 60_000);
      const rules = [...once, ...onGcs.map(standing)];
      for (const fault of onPubsub) rules.push([JSON.stringify(fault), await faults.rule(fault)]);
      return rules;
    },
    async clear() {
      await faults.clear();
      gcs.clear();
    },
    silence() {
      const swallowed = way.swallowed;
      way.halfOpen();
      const onLake = gcs.rule({ fault: halfOpen() });
      return Promise.resolve({
        heard: () => way.swallowed > swallowed && onLake.happened > 0,
        end() {
          way.open();
          onLake.remove();
          return Promise.resolve();
        },
      });
    },
    async seen() {
      const methods = ['Publish', 'Pull', ...settling];
      const counts = await Promise.all(methods.map(async (method) => `${method} ${await faults.seen(method)}`));
      return `Pub/Sub: ${counts.join(', ')}\nGCS: ${String(gcs.seen)}`;
    },
  };
  await expectToSurviveNetwork(pipeline, place, network, openApp);
}, 400_000);

import { join } from 'node:path';

import { sqs } from '../../src/providers/aws/sqs.js';
import type { Queue } from '../../src/providers/queue.js';
import { S3Bucket, SqsQueues } from '../aws/place.js';
import { CloudPlace } from '../cloud/place.js';
import { s3Endpoint, sqsEndpoint } from '../standins/aws.js';
import { FaultProxy } from '../standins/fault-proxy.js';
import { s3Error, sqsError } from '../standins/faults/aws-errors.js';
import { cutAfter, delay, halfOpen, halfOpenAfter, loseReply } from '../standins/faults/generic.js';
import type { Rule } from '../standins/faults/rules.js';
import { deliverAgain, deliverLate, deliverTwice, disownEntries, refuseEntries } from '../standins/faults/sqs.js';
import { until } from '../until.js';
import { expectToSurviveNetwork, type Network, type Standing } from './cloud-network.js';
import { Pipeline } from './pipeline.js';

const [send, receive, remove, extend] = [
  'SendMessageBatch',
  'ReceiveMessage',
  'DeleteMessageBatch',
  'ChangeMessageVisibilityBatch',
];
const [put, get] = ['PutObject', 'GetObject'];

/** In one behind the other: what a call that is chosen by several meets first. */
const onSqs: readonly Rule[] = [
  { when: { operation: send }, times: 3, fault: loseReply('hang') },
  { when: { operation: receive, nth: 20 }, fault: halfOpen() },
  { when: { operation: remove, nth: 5 }, fault: halfOpen() },
  { when: { operation: extend, nth: 2 }, fault: halfOpen() },
  { share: 0.03, fault: sqsError(500, 'InternalError') },
  { share: 0.03, fault: sqsError(503, 'ServiceUnavailable') },
  { share: 0.03, fault: sqsError(429, 'ThrottlingException') },
  { when: { operation: send }, share: 0.1, fault: loseReply() },
  { when: { operation: remove }, share: 0.1, fault: loseReply() },
  { when: { operation: receive }, share: 0.03, fault: loseReply() },
  ...[send, remove, extend].flatMap((operation): Rule[] => [
    { when: { operation }, fault: refuseEntries(0.1) },
    { when: { operation }, fault: disownEntries(0.1) },
  ]),
  { fault: deliverLate(0.2) },
  { fault: deliverTwice(0.2) },
  { fault: deliverAgain(0.2) },
];
/** Before all others, any of which may keep one of these from happening. */
const onS3Once: readonly Rule[] = [
  { when: { operation: put, nth: 4 }, fault: halfOpen() },
  { when: { operation: get, nth: 4 }, fault: halfOpen() },
  { when: { operation: get }, times: 1, fault: halfOpenAfter(100) },
];
const onS3: readonly Rule[] = [
  { share: 0.05, fault: s3Error(500, 'InternalError') },
  { share: 0.05, fault: s3Error(503, 'SlowDown') },
  { share: 0.05, fault: s3Error(429, 'TooManyRequests') },
  { when: { operation: put }, share: 0.05, fault: s3Error(409, 'ConditionalRequestConflict') },
  { when: { operation: put }, share: 0.2, fault: loseReply() },
  // Longer than half a lease: what waits for it is extended meanwhile.
  { when: { operation: put }, share: 0.2, fault: delay(4_000) },
  { when: { operation: get }, share: 0.2, fault: cutAfter(100) },
];

let place: CloudPlace<SqsQueues>;
let pipeline: Pipeline;
let sqsProxy: FaultProxy;
let s3Proxy: FaultProxy;
beforeAll(async () => {
  const services = { sqs: await sqsEndpoint(), s3: await s3Endpoint() };
  sqsProxy = await FaultProxy.start({ target: services.sqs });
  s3Proxy = await FaultProxy.start({ target: services.s3 });
  place = new CloudPlace(new SqsQueues(services.sqs), new S3Bucket(services.s3));
  const reached = { PLACE_SQS: sqsProxy.endpoint, PLACE_S3: s3Proxy.endpoint };
  pipeline = new Pipeline(join(import.meta.dirname, 'config', 'cloud.config.ts'), place.surroundings(reached));
  expect(await pipeline.run(['provision'])).toMatchObject({ status: 0 });
}, 120_000);
afterAll(async () => {
  await pipeline.close();
  await place.close();
  await Promise.all([sqsProxy.close(), s3Proxy.close()]);
}, 60_000);

/** As the pipeline has it. */
const openApp = (): Queue => {
  const queueUrl = place.queues.urlOf(`${place.name}-app`, sqsProxy.endpoint);
  return sqs({ queueUrl }).open({ pipeline: 'faults', dataDir: 'unused', part: 'source-app' });
};

test('SQS and S3 refuse, answer too late, in part, or never, and deliver again, twice, late and in no order; then for a while every socket is half-open: all goes on by itself, nothing is lost, nothing is there twice', async () => {
  const network: Network = {
    async disturb() {
      const standing = (proxy: FaultProxy, rules: readonly Rule[]): [string, Standing][] =>
        rules.map((rule) => [`${rule.fault.name} ${String(rule.when?.operation ?? '')}`, proxy.rule(rule)]);
      const once = standing(s3Proxy, onS3Once);
      await until('half-open calls of S3', () => once.every(([, { happened }]) => happened === 1), 60_000);
      return [...once, ...standing(sqsProxy, onSqs), ...standing(s3Proxy, onS3)];
    },
    clear() {
      for (const proxy of [sqsProxy, s3Proxy]) proxy.clear();
      return Promise.resolve();
    },
    silence() {
      const [onQueue, onLake] = [sqsProxy, s3Proxy].map((proxy) => proxy.rule({ fault: halfOpen() }));
      return Promise.resolve({
        heard: () => onQueue!.happened > 4 && onLake!.happened > 0,
        end() {
          for (const rule of [onQueue!, onLake!]) rule.remove();
          return Promise.resolve();
        },
      });
    },
    seen: () => Promise.resolve(`SQS: ${String(sqsProxy.seen)}\nS3: ${String(s3Proxy.seen)}`),
  };
  await expectToSurviveNetwork(pipeline, place, network, openApp);
}, 400_000);

import { join } from 'node:path';

import { AwsPlace } from '../aws/place.js';
import { sendSingles } from '../aws/singles.js';
import { s3Endpoint, sqsEndpoint } from '../standins/aws.js';
import { FaultProxy } from '../standins/fault-proxy.js';
import { s3Error, sqsError } from '../standins/faults/aws-errors.js';
import { cutAfter, delay, halfOpen, halfOpenAfter, loseReply } from '../standins/faults/generic.js';
import type { Rule } from '../standins/faults/rules.js';
import { deliverAgain, deliverLate, deliverTwice, disownEntries, refuseEntries } from '../standins/faults/sqs.js';
import { until } from '../until.js';
import { Pipeline } from './pipeline.js';
import { expectProved } from './proof.js';
import { arrives, whileSending } from './sender.js';

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
const onS3: readonly Rule[] = [
  { when: { operation: put, nth: 4 }, fault: halfOpen() },
  { when: { operation: get, nth: 4 }, fault: halfOpen() },
  { when: { operation: get }, times: 1, fault: halfOpenAfter(100) },
  { share: 0.05, fault: s3Error(500, 'InternalError') },
  { share: 0.05, fault: s3Error(503, 'SlowDown') },
  { share: 0.05, fault: s3Error(429, 'TooManyRequests') },
  { when: { operation: put }, share: 0.05, fault: s3Error(409, 'ConditionalRequestConflict') },
  { when: { operation: put }, share: 0.2, fault: loseReply() },
  // Longer than half a lease: what waits for it is extended meanwhile.
  { when: { operation: put }, share: 0.2, fault: delay(4_000) },
  { when: { operation: get }, share: 0.2, fault: cutAfter(100) },
];

let place: AwsPlace;
let pipeline: Pipeline;
let sqs: FaultProxy;
let s3: FaultProxy;
beforeAll(async () => {
  const services = { sqs: await sqsEndpoint(), s3: await s3Endpoint() };
  sqs = await FaultProxy.start({ target: services.sqs });
  s3 = await FaultProxy.start({ target: services.s3 });
  place = new AwsPlace(services);
  const reached = { sqs: sqs.endpoint, s3: s3.endpoint };
  pipeline = new Pipeline(join(import.meta.dirname, 'config', 'aws.config.ts'), place.surroundings(reached));
  expect(await pipeline.run(['provision'])).toMatchObject({ status: 0 });
}, 120_000);
afterAll(async () => {
  await pipeline.close();
  place.close();
  await Promise.all([sqs.close(), s3.close()]);
}, 60_000);

test('SQS and S3 refuse, answer too late, in part, or never, and deliver again, twice, late and in no order; then for a while every socket is half-open: all goes on by itself, nothing is lost, nothing is there twice', async () => {
  await pipeline.start();
  const sent = await whileSending(pipeline, async (sender) => {
    await arrives(pipeline, sender.sent);
    const rulings = [...onSqs.map((rule) => sqs.rule(rule)), ...onS3.map((rule) => s3.rule(rule))];
    const rules = [...onSqs, ...onS3].map(({ when, fault }) => `${fault.name} ${String(when?.operation ?? '')}`);
    const missing = (): string[] => rules.filter((_, index) => rulings[index]!.happened === 0);
    const began = Date.now();
    // None that the sender will come to.
    let singles = 1_000_000;
    const all = until(
      'every fault',
      async () => {
        const numbers = Array.from({ length: 30 }, () => singles++);
        await sendSingles(place.queueUrl('app', sqs.endpoint), pipeline.evidence, numbers);
        return missing().length === 0;
      },
      120_000,
    );
    await all.catch(() => expect({ missing: missing(), seen: [String(sqs.seen), String(s3.seen)] }).toEqual({}));
    console.log(`${Date.now() - began} ms; SQS: ${String(sqs.seen)}\nS3: ${String(s3.seen)}`);
    for (const proxy of [sqs, s3]) proxy.clear();

    const silences = [sqs, s3].map((proxy) => proxy.rule({ fault: halfOpen() }));
    await until('silence', () => silences[0]!.happened > 4 && silences[1]!.happened > 0);
    for (const silence of silences) silence.remove();
    await arrives(pipeline, sender.sent);
  });
  await pipeline.settle();
  await pipeline.freshEvent(sent);
  const compared = await expectProved(pipeline);
  const verdict = await pipeline.judge();
  console.log(verdict, compared);
  expect(verdict.faults).toEqual([]);
  expect(compared).toMatchObject({ singles: verdict.rows['singles'], checked: verdict.events.inLake });
  for (const queue of ['app', 'app-dead', 'secondary', 'secondary-dead'])
    expect([queue, await place.backlog(queue)]).toEqual([queue, { waiting: 0, leased: 0 }]);
}, 400_000);

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { sqs } from '../../src/providers/aws/sqs.js';
import type { Queue } from '../../src/providers/queue.js';
import { S3Bucket, SqsQueues } from '../aws/place.js';
import { CloudPlace } from '../cloud/place.js';
import { sendSingles } from '../cloud/singles.js';
import { Pipeline } from '../faults/pipeline.js';
import { expectProved } from '../faults/proof.js';
import { seenDuring } from '../faults/watch.js';
import { s3Endpoint, sqsmemEndpoint } from '../standins/aws.js';
import { FaultProxy } from '../standins/fault-proxy.js';
import { delay } from '../standins/faults/generic.js';
import { inFlightCap } from '../standins/faults/sqs.js';

const backlog = 5_000;
const ceiling = 1_000;

/** The first of them at once: what is received meanwhile is held. */
const slowPuts = { when: { operation: 'PutObject' }, times: 4, fault: delay(8_000) };

const openQueue = (queueUrl: string): Queue =>
  sqs({ queueUrl }).open({ pipeline: 'faults', dataDir: 'unused', part: 'source-app' });

/** Has a pipeline take the backlog of single messages. Resolves with how often it met the ceiling, and the most that were in flight. */
async function takeBacklog(heldMessages?: number): Promise<{ met: number; most: number }> {
  // Where thousands of messages cost little; the ceiling is the proxy's own.
  const services = { sqs: await sqsmemEndpoint(), s3: await s3Endpoint() };
  const sqs = await FaultProxy.start({ target: services.sqs });
  const s3 = await FaultProxy.start({ target: services.s3 });
  const place = new CloudPlace(new SqsQueues(services.sqs), new S3Bucket(services.s3));
  const reached = { PLACE_SQS: sqs.endpoint, PLACE_S3: s3.endpoint };
  const held: Record<string, string> = heldMessages === undefined ? {} : { PLACE_HELD: String(heldMessages) };
  const config = join(import.meta.dirname, '..', 'faults', 'config', 'cloud.config.ts');
  const pipeline = new Pipeline(config, place.surroundings({ ...reached, ...held }));
  try {
    expect(await pipeline.run(['provision'])).toMatchObject({ status: 0 });
    for (const file of [pipeline.evidence.sentFile, pipeline.evidence.ledgerFile]) writeFileSync(file, '');
    const numbers = Array.from({ length: backlog }, (_, number) => number);
    await sendSingles(openQueue(place.queues.urlOf(`${place.name}-app`)), pipeline.evidence, numbers);
    const met = sqs.rule({ fault: inFlightCap(ceiling) });
    s3.rule(slowPuts);
    const seen = await seenDuring(
      () => place.backlog('app'),
      async () => {
        await pipeline.start();
        await pipeline.settle();
      },
    );
    await pipeline.freshEvent(backlog);
    const compared = await expectProved(pipeline);
    const verdict = await pipeline.judge();
    expect(verdict).toMatchObject({ faults: [], copies: 0, rows: { singles: backlog + 1 } });
    expect(compared).toMatchObject({ singles: backlog + 1 });
    return { met: met.happened, most: Math.max(...seen.map(({ leased }) => leased)) };
  } finally {
    await pipeline.close();
    await place.close();
    await Promise.all([sqs.close(), s3.close()]);
  }
}

test('a poller holds no more messages than heldMessages, and so never meets the ceiling of messages in flight', async () => {
  const { met, most } = await takeBacklog(500);
  console.log({ met, most });
  expect(met).toBe(0);
  expect(most).toBeGreaterThan(400);
  expect(most).toBeLessThanOrEqual(500);
}, 240_000);

test('one that does meet it, where SQS answers as if the queue were empty, goes on all the same once there is room', async () => {
  const { met, most } = await takeBacklog();
  console.log({ met, most });
  expect(met).toBeGreaterThan(0);
  expect(most).toBeGreaterThan(ceiling - 50);
}, 240_000);

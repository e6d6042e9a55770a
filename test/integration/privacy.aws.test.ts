import { join } from 'node:path';

import { s3 } from '../../src/providers/aws/s3.js';
import { sqs } from '../../src/providers/aws/sqs.js';
import type { Place } from '../../src/providers/provider.js';
import { S3Bucket, SqsQueues } from '../aws/place.js';
import { CloudPlace } from '../cloud/place.js';
import { Pipeline } from '../faults/pipeline.js';
import { s3Endpoint, sqsEndpoint } from '../standins/aws.js';
import { FaultProxy } from '../standins/fault-proxy.js';
import type { Fault } from '../standins/faults/fault.js';
import { answer } from '../standins/faults/generic.js';
import { deliverAgain, disownEntries } from '../standins/faults/sqs.js';
import { outputOf, replyWith, type ReceiveOutput } from '../standins/faults/sqs-json.js';
import { marker } from './privacy/marker.js';
import { expectNoLeaks } from './privacy/no-leaks.js';

const minutes = 60_000;
let place: CloudPlace<SqsQueues>;
let pipeline: Pipeline;
let sqsProxy: FaultProxy;
let s3Proxy: FaultProxy;
beforeAll(async () => {
  const services = { sqs: await sqsEndpoint(), s3: await s3Endpoint() };
  place = new CloudPlace(new SqsQueues(services.sqs), new S3Bucket(services.s3));
  sqsProxy = await FaultProxy.start({ target: services.sqs });
  s3Proxy = await FaultProxy.start({ target: services.s3 });
  const reached = { PLACE_SQS: sqsProxy.endpoint, PLACE_S3: s3Proxy.endpoint };
  pipeline = new Pipeline(join(import.meta.dirname, 'privacy', 'cloud.config.ts'), place.surroundings(reached));
  expect(await pipeline.run(['provision'])).toMatchObject({ status: 0 });
}, 3 * minutes);
afterAll(async () => {
  await pipeline.close();
  await place.close();
  await Promise.all([sqsProxy.close(), s3Proxy.close()]);
}, minutes);

/** Changes nothing; notes all receipts that the queues give out. */
function noteReceipts(receipts: Set<string>): Fault {
  return {
    name: 'noted',
    async run(call, { next, happened }) {
      const outcome = await next();
      const output = call.operation === 'ReceiveMessage' ? await outputOf<ReceiveOutput>(outcome) : undefined;
      if (output === undefined) return outcome;
      for (const { ReceiptHandle } of output.Messages ?? []) receipts.add(ReceiptHandle);
      happened();
      return replyWith(output);
    },
  };
}

/** An error that quotes all that it was asked, as services do. */
function quote(isFor: (asked: string) => boolean): Fault {
  return {
    name: 'quoted',
    async run(call, around) {
      const message = String(await call.body());
      if (!isFor(message)) return around.next();
      const body = JSON.stringify({ __type: 'com.amazonaws.sqs#InternalError', message });
      return answer(500, body, { 'x-amzn-query-error': 'InternalError;Receiver' }).run(call, around);
    },
  };
}

test(
  'on SQS and S3 no byte of an event, no attribute and no receipt is in a history, a log, an error or a reason',
  async () => {
    const receipts = new Set<string>();
    // More than one call of the SDK tries.
    let sends = 4;
    const quotingSends = quote((asked) => asked.includes(marker) && sends-- > 0);
    const settling = { operation: ['DeleteMessageBatch', 'ChangeMessageVisibilityBatch'] };
    const quoting = [
      sqsProxy.rule({ when: { operation: 'SendMessageBatch' }, fault: quotingSends }),
      sqsProxy.rule({ when: settling, share: 0.4, fault: quote(() => true) }),
    ];
    // So that receipts are used that the queue takes no more.
    const stale = [disownEntries(0.2), deliverAgain(0.2)].map((fault) => sqsProxy.rule({ fault }));
    sqsProxy.rule({ fault: noteReceipts(receipts) });
    const at = (part: string): Place => ({ pipeline: 'privacy', dataDir: 'unused', part });
    await expectNoLeaks(pipeline, {
      queue: (part) =>
        sqs({ queueUrl: place.queues.urlOf(`${place.name}-${part === 'secondary' ? part : 'app'}`) }).open(at(part)),
      lake: s3({ bucket: place.name, prefix: 'lake', endpoint: await s3Endpoint() }).open(at('lake')),
      receipts: () => [...receipts],
      loseLake: () => s3Proxy.goAway(),
      restoreLake: () => s3Proxy.clear(),
      async rawObjects() {
        const folder = join(pipeline.folder.dir, 'objects');
        await place.fetchLake(folder);
        return folder;
      },
    });
    expect(receipts.size).toBeGreaterThanOrEqual(20);
    for (const { happened } of [...quoting, ...stale]) expect(happened).toBeGreaterThan(0);
  },
  5 * minutes,
);

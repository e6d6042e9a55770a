import type { Message } from '@aws-sdk/client-sqs';

import { S3Bucket, SqsQueues } from '../aws/place.js';
import { CloudPlace } from '../cloud/place.js';
import { s3Endpoint, sqsEndpoint } from '../standins/aws.js';
import { until } from '../until.js';
import { CloudExample, plainBodies } from './example/example.js';

const minutes = 60_000;

let place: CloudPlace<SqsQueues>;
let example: CloudExample;
beforeAll(async () => {
  place = new CloudPlace(new SqsQueues(await sqsEndpoint()), new S3Bucket(await s3Endpoint()));
  example = new CloudExample(place);
}, 3 * minutes);
afterAll(async () => {
  await example.pipeline.close();
  await place.close();
}, minutes);

test(
  'the example on SQS and S3, by the commands that a user has: made, checked, sent, queried and proved, with the answer of the embedded parts',
  // SeaweedFS knows nothing of public access.
  () => example.expectWhole(['block public access']),
  4 * minutes,
);

/** As who does not know of Catchment sends: each event its own message, with attributes of all kinds. */
async function sendPlain(queueUrl: string, bodies: readonly string[]): Promise<string[]> {
  const kind = { DataType: 'String', StringValue: 'plain' };
  const weight = { DataType: 'Number.int', StringValue: '7' };
  const bytes = { DataType: 'Binary', BinaryValue: Buffer.from([0, 255]) };
  const Entries = bodies.map((MessageBody, index) => {
    return { Id: String(index), MessageBody, MessageAttributes: { kind, weight, bytes } };
  });
  const { Successful = [] } = await place.queues.client.sendMessageBatch({ QueueUrl: queueUrl, Entries });
  expect(Successful).toHaveLength(bodies.length);
  return Successful.map(({ MessageId }) => MessageId!);
}

const plainAttributes = { kind: 'plain', weight: '7', bytes: Buffer.from([0, 255]).toString('base64') };

test(
  'what others send with the plain SDK is taken as it is: one event a message, its id that of SQS, its attributes as text',
  async () => {
    const bodies = plainBodies('plain');
    const ids = await sendPlain(place.queues.urlOf(`${place.name}-app`), bodies);
    await example.pipeline.settle();
    expect(await example.idsOf('plain')).toEqual(ids.toSorted());
    const inLake = await example.stored(ids);
    for (const [index, id] of ids.entries())
      expect(inLake.get(id)!.map(({ attributes, body }) => ({ attributes, body: body.toString() }))).toEqual([
        { attributes: plainAttributes, body: bodies[index] },
      ]);
  },
  2 * minutes,
);

/** Sends to a queue that gives a message up at once, and has SQS itself move what was sent among the dead letters of `app`. */
async function deadBySqs(bodies: readonly string[]): Promise<Message[]> {
  const { Attributes } = await place.queues.client.getQueueAttributes({
    QueueUrl: place.queues.urlOf(`${place.name}-app-dead`),
    AttributeNames: ['QueueArn'],
  });
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: Attributes!['QueueArn'], maxReceiveCount: 1 });
  const QueueName = `${place.name}-given-up`;
  await place.queues.client.createQueue({ QueueName, Attributes: { RedrivePolicy } });
  const QueueUrl = place.queues.urlOf(`${place.name}-given-up`);
  await sendPlain(QueueUrl, bodies);
  const asked = { QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0, WaitTimeSeconds: 0 };
  const received = new Map<string, Message>();
  const { waiting: before } = await place.backlog('app-dead');
  await until('SQS to move the dead letters', async () => {
    const { Messages = [] } = await place.queues.client.receiveMessage({
      ...asked,
      MessageSystemAttributeNames: ['SentTimestamp'],
    });
    for (const message of Messages) received.set(message.MessageId!, message);
    return (await place.backlog('app-dead')).waiting === before + bodies.length;
  });
  return [...received.values()];
}

test(
  'dead letters, those that were put there and those that SQS moved there, are warned of and counted, and drain-dlq brings them into the lake once, under the ids and send times that they have',
  async () => {
    const began = Date.now();
    const put = await sendPlain(place.queues.urlOf(`${place.name}-app-dead`), plainBodies('put'));
    const moved = await deadBySqs(plainBodies('moved'));
    expect(moved).toHaveLength(10);
    const ids = [...put, ...moved.map(({ MessageId }) => MessageId!)];

    expect(await example.findings('error')).toEqual([]);
    expect((await example.findings('warning')).join('\n')).toContain('app-dead holds about 20 messages');
    expect(await example.answerOf('reconcile')).toMatchObject({ ok: true, deadLetters: 20 });
    const drained = (messages: number): object => ({
      drained: [
        { queue: 'app', messages, left: 0 },
        { queue: 'secondary', messages: 0, left: 0 },
      ],
    });
    expect(await example.answerOf('drain-dlq')).toEqual(drained(20));
    expect(await example.answerOf('drain-dlq')).toEqual(drained(0));

    await example.pipeline.settle();
    const inLake = await example.stored(ids);
    expect([...inLake.values()].map((copies) => copies.length)).toEqual(ids.map(() => 1));
    for (const { MessageId, Attributes } of moved)
      expect(inLake.get(MessageId!)![0]).toMatchObject({
        sentAt: new Date(Number(Attributes!['SentTimestamp'])).toISOString(),
        attributes: plainAttributes,
      });
    for (const id of put) {
      const sentAt = Date.parse(inLake.get(id)![0]!.sentAt);
      expect(sentAt).toBeGreaterThanOrEqual(began);
      expect(sentAt).toBeLessThan(Date.now());
    }
    expect(await example.idsOf('put')).toEqual(put.toSorted());
    expect(await example.idsOf('moved')).toEqual(ids.slice(10).toSorted());
    expect(await example.answerOf('reconcile', '--deep')).toMatchObject({ ok: true, deadLetters: 0 });
    expect((await example.findings('warning')).join('\n')).not.toContain('holds about');
  },
  3 * minutes,
);

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import type { Message } from '@aws-sdk/client-sqs';

import type { Finding } from '../../src/providers/queue.js';
import { AwsPlace } from '../aws/place.js';
import { readLake, type StoredEvent } from '../faults/judge-lake.js';
import { Pipeline } from '../faults/pipeline.js';
import { s3Endpoint, sqsEndpoint } from '../standins/aws.js';
import { until } from '../until.js';

const minutes = 60_000;
const example = resolve('examples/github');
const events = execFileSync(process.execPath, [join(example, 'events.mjs')], { encoding: 'utf8', maxBuffer: 2 ** 26 });
const [, webhook] = events.split('\n');

let place: AwsPlace;
let pipeline: Pipeline;
beforeAll(async () => {
  place = new AwsPlace({ sqs: await sqsEndpoint(), s3: await s3Endpoint() });
  pipeline = new Pipeline(join(import.meta.dirname, 'example', 'aws.config.ts'), place.surroundings());
}, 3 * minutes);
afterAll(async () => {
  await pipeline.close();
  place.close();
}, minutes);

/** What the command answers, which must hold. */
async function answerOf(...args: string[]): Promise<Record<string, unknown>> {
  const { status, answer } = await pipeline.run(args);
  expect({ args, status, answer }).toMatchObject({ status: 0 });
  return answer;
}

async function findings(level: Finding['level']): Promise<string[]> {
  const { findings } = (await answerOf('check')) as { findings: readonly (Finding & { part: string })[] };
  return findings.filter((found) => found.level === level).map(({ part, what }) => `${part}: ${what}`);
}

/** Through a whole pipeline, to the answer of the example's query. */
async function exampleThrough(through: Pipeline): Promise<unknown> {
  await through.start();
  const sent = await through.run(['send', '-', '--id', '/delivery'], events);
  expect(sent).toMatchObject({ status: 0, answer: { sent: 329, refused: 0, unsent: 0 } });
  await through.settle();
  return (await through.run(['query', readFileSync(join(example, 'query.sql'), 'utf8')])).answer['rows'];
}

async function embeddedAnswer(): Promise<unknown> {
  const embedded = new Pipeline(join(example, 'catchment.config.ts'));
  try {
    return await exampleThrough(embedded);
  } finally {
    await embedded.close();
  }
}

test(
  'the example on SQS and S3, by the commands that a user has: made, checked, sent, queried and proved, with the answer of the embedded parts',
  async () => {
    expect(await pipeline.run(['check'])).toMatchObject({ status: 1, answer: { ok: false } });
    const { changes: planned } = (await answerOf('provision', '--dry-run')) as { changes: { what: string }[] };
    // SeaweedFS knows nothing of public access.
    const changes = planned.filter(({ what }) => !what.startsWith('block public access'));
    expect(changes).toHaveLength(planned.length - 1);
    expect(await answerOf('provision')).toEqual({ applied: true, changes });
    expect(await answerOf('provision')).toEqual({ applied: true, changes: [] });
    expect(await exampleThrough(pipeline)).toEqual(await embeddedAnswer());
    expect(await findings('error')).toEqual([]);
    expect((await findings('warning')).filter((found) => found.includes('dead'))).toEqual([]);
    for (const flags of [[], ['--deep']])
      expect(await answerOf('reconcile', ...flags)).toMatchObject({
        ok: true,
        objects: { events: 329 },
        tables: { activity: { rows: 329, objectsMissing: 0 }, job_steps: { rows: 31 } },
        deadLetters: 0,
      });
  },
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
  const { Successful = [] } = await place.sqs.sendMessageBatch({ QueueUrl: queueUrl, Entries });
  expect(Successful).toHaveLength(bodies.length);
  return Successful.map(({ MessageId }) => MessageId!);
}

const plainAttributes = { kind: 'plain', weight: '7', bytes: Buffer.from([0, 255]).toString('base64') };
const plainBodies = (about: string): string[] =>
  Array.from({ length: 10 }, (_, n) => JSON.stringify({ ...(JSON.parse(webhook!) as object), event: about, n }));

/** By id, each as often as the lake has it. */
async function stored(ids: readonly string[]): Promise<Map<string, StoredEvent[]>> {
  const folder = join(pipeline.folder.dir, `lake-${Date.now()}`);
  await place.fetchLake(folder);
  const all = readLake(folder).flatMap((object) => object.events);
  return new Map(ids.map((id) => [id, all.filter((event) => event.id === id)]));
}

async function rowsOf(about: string): Promise<Record<string, unknown>[]> {
  const { rows } = await answerOf('query', `SELECT _event_id AS id FROM activity WHERE event = '${about}' ORDER BY id`);
  return rows as Record<string, unknown>[];
}

test(
  'what others send with the plain SDK is taken as it is: one event a message, its id that of SQS, its attributes as text',
  async () => {
    const bodies = plainBodies('plain');
    const ids = await sendPlain(place.queueUrl('app'), bodies);
    await pipeline.settle();
    expect(await rowsOf('plain')).toEqual(ids.toSorted().map((id) => ({ id })));
    const inLake = await stored(ids);
    for (const [index, id] of ids.entries())
      expect(inLake.get(id)!.map(({ attributes, body }) => ({ attributes, body: body.toString() }))).toEqual([
        { attributes: plainAttributes, body: bodies[index] },
      ]);
  },
  2 * minutes,
);

/** Sends to a queue that gives a message up at once, and has SQS itself move what was sent among the dead letters of `app`. */
async function deadBySqs(bodies: readonly string[]): Promise<Message[]> {
  const { Attributes } = await place.sqs.getQueueAttributes({
    QueueUrl: place.queueUrl('app-dead'),
    AttributeNames: ['QueueArn'],
  });
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: Attributes!['QueueArn'], maxReceiveCount: 1 });
  const QueueName = `${place.name}-given-up`;
  await place.sqs.createQueue({ QueueName, Attributes: { RedrivePolicy } });
  const QueueUrl = place.queueUrl('given-up');
  await sendPlain(QueueUrl, bodies);
  const asked = { QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0, WaitTimeSeconds: 0 };
  const received = new Map<string, Message>();
  const { waiting: before } = await place.backlog('app-dead');
  await until('SQS to move the dead letters', async () => {
    const { Messages = [] } = await place.sqs.receiveMessage({
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
    const put = await sendPlain(place.queueUrl('app-dead'), plainBodies('put'));
    const moved = await deadBySqs(plainBodies('moved'));
    expect(moved).toHaveLength(10);
    const ids = [...put, ...moved.map(({ MessageId }) => MessageId!)];

    expect(await findings('error')).toEqual([]);
    expect((await findings('warning')).join('\n')).toContain('app-dead holds about 20 messages');
    expect(await answerOf('reconcile')).toMatchObject({ ok: true, deadLetters: 20 });
    const drained = (messages: number): object => ({
      drained: [
        { queue: 'app', messages, left: 0 },
        { queue: 'secondary', messages: 0, left: 0 },
      ],
    });
    expect(await answerOf('drain-dlq')).toEqual(drained(20));
    expect(await answerOf('drain-dlq')).toEqual(drained(0));

    await pipeline.settle();
    const inLake = await stored(ids);
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
    expect((await rowsOf('put')).map(({ id }) => id)).toEqual(put.toSorted());
    expect((await rowsOf('moved')).map(({ id }) => id)).toEqual(ids.slice(10).toSorted());
    expect(await answerOf('reconcile', '--deep')).toMatchObject({ ok: true, deadLetters: 0 });
    expect((await findings('warning')).join('\n')).not.toContain('holds about');
  },
  3 * minutes,
);

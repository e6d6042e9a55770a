import { randomUUID } from 'node:crypto';

import {
  GetQueueAttributesCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';

import { sqs } from '../../src/providers/aws/sqs.js';
import type { SqsOptions } from '../../src/providers/aws/sqs-options.js';
import type { Delivery, Finding, Queue } from '../../src/providers/queue.js';
import { createSender } from '../../src/send/sender.js';
import { needs } from '../contract/queue-harness.js';
import { sqsEndpoint, sqsmemEndpoint } from '../standins/aws.js';
import { until } from '../until.js';

const opened: Queue[] = [];
afterEach(() => Promise.all(opened.splice(0).map((queue) => queue.close())));

function open(options: SqsOptions): Queue {
  const queue = sqs(options).open({ pipeline: 'test', dataDir: 'unused', part: 'secondary' });
  opened.push(queue);
  return queue;
}

const urlOf = (endpoint: string, name: string = randomUUID()): string => `${endpoint}/000000000000/${name}`;
const clientOf = (endpoint: string): SQSClient => new SQSClient({ endpoint });
const set = (endpoint: string, QueueUrl: string, Attributes: Record<string, string>) =>
  clientOf(endpoint).send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));

async function receive(queue: Queue, leaseMs = 30_000): Promise<Delivery> {
  const { signal } = new AbortController();
  const [delivery] = await queue.receive({ messages: 1, waitMs: 20_000, leaseMs, signal });
  return delivery!;
}

/** What `check` finds beside what is well. */
const troubles = (findings: readonly Finding[]): string[] =>
  findings.filter(({ level }) => level !== 'ok').map(({ level, what }) => `${level}: ${what}`);

describe.each([
  ['ElasticMQ', sqsEndpoint],
  ['sqsmem', sqsmemEndpoint],
])('sqs() on %s', (_, endpointOf) => {
  test('provision makes what is not there, changes what differs, and has nothing to do then', async () => {
    const endpoint = await endpointOf();
    const [queueUrl, deadLetterUrl] = [urlOf(endpoint), urlOf(endpoint)];
    const queue = open({ queueUrl, deadLetterUrl });
    const plan = await queue.provision!('plan', needs);
    expect(plan.map(({ what }) => what)).toEqual([
      expect.stringMatching(/^make the SQS queue .*: keep messages for 14 d/),
      expect.stringMatching(/^make the SQS queue .*: keep messages for 14 d.* after 1000 receives$/),
    ]);
    expect((await queue.check(needs))[0]).toMatchObject({ level: 'error' }); // the plan made nothing
    expect(await queue.provision!('apply', needs)).toHaveLength(2);
    expect(await queue.provision!('apply', needs)).toEqual([]);
    expect(await queue.provision!('plan', needs)).toEqual([]);
    const alone = open({ queueUrl });
    expect(await alone.provision!('plan', needs)).toEqual([]);

    const [, arn] = /"deadLetterTargetArn":"([^"]*)"/.exec(JSON.stringify(await redriveOf(endpoint, queueUrl)))!;
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount: 3 });
    await set(endpoint, queueUrl, { RedrivePolicy });
    expect(troubles(await queue.check(needs))).toContainEqual(
      expect.stringMatching(/^error: .* gives a message up after 3 receives, 15 min of leases: in an outage of 3 d/),
    );
    expect(troubles(await alone.check(needs))).toContainEqual(
      expect.stringMatching(/^error: .* sends dead letters to .*, which the config does not name/),
    );
    expect(await queue.provision!('apply', needs)).toEqual([
      { what: expect.stringContaining('after 1000 receives') as string },
    ]);
    expect(troubles(await queue.check(needs)).filter((line) => line.startsWith('error'))).toEqual([]);
  });

  test('a message that is given up keeps its id and send time, and its queue says that it is there', async () => {
    const endpoint = await endpointOf();
    const [queueUrl, deadLetterUrl] = [urlOf(endpoint), urlOf(endpoint)];
    const queue = open({ queueUrl, deadLetterUrl });
    await queue.provision!('apply', needs);
    const policy = (await redriveOf(endpoint, queueUrl)) as Record<string, unknown>;
    await set(endpoint, queueUrl, { RedrivePolicy: JSON.stringify({ ...policy, maxReceiveCount: 1 }) });
    await queue.send([{ body: Buffer.from('again and again'), attributes: { kind: 'test' } }]);
    const first = await receive(queue);
    await queue.extend([first.receipt], 0);
    const { signal } = new AbortController();
    await until(
      'the message to be a dead letter',
      async () => {
        await queue.receive({ messages: 1, waitMs: 0, leaseMs: 1_000, signal });
        return (await queue.deadLetters!.backlog()).waiting === 1;
      },
      20_000,
    );
    const dead = await receive(queue.deadLetters!);
    expect(dead).toMatchObject({ id: first.id, sentAt: first.sentAt, attributes: { kind: 'test' } });
    expect(Buffer.from(dead.body).toString()).toBe('again and again');
    await queue.deadLetters!.extend([dead.receipt], 0);
    expect(troubles(await queue.check(needs))).toContainEqual(
      expect.stringMatching(/^warning: .* holds about 1 messages$/),
    );
  });

  test("other producers' messages are taken as they are", async () => {
    const endpoint = await endpointOf();
    const queueUrl = urlOf(endpoint);
    const queue = open({ queueUrl });
    await queue.provision!('apply', needs);
    const sent = await clientOf(endpoint).send(
      new SendMessageCommand({
        QueueUrl: queueUrl,
        MessageBody: '\ufeff{"a": 1}\n',
        MessageAttributes: {
          number: { DataType: 'Number', StringValue: '12.50' },
          binary: { DataType: 'Binary.gzip', BinaryValue: Uint8Array.of(0, 255) },
          text: { DataType: 'String.lang', StringValue: 'grüße' },
        },
      }),
    );
    const delivery = await receive(queue);
    expect(delivery.id).toBe(sent.MessageId);
    // Nothing of what SQS itself says of it: sender, trace, counts.
    expect(delivery.attributes).toEqual({ number: '12.50', binary: 'AP8=', text: 'grüße' });
    expect(Buffer.from(delivery.body).toString()).toBe('\ufeff{"a": 1}\n');
    expect(Math.abs(delivery.sentAt.getTime() - Date.now())).toBeLessThan(60_000);
  });

  test('a fairness group is passed through', async () => {
    const queue = open({ queueUrl: urlOf(await endpointOf()) });
    await queue.provision!('apply', needs);
    await queue.send([{ body: Buffer.from('grouped'), attributes: {}, group: 'tenant-1' }]);
    expect((await receive(queue)).group).toBe('tenant-1');
  });

  test('a queue that is not there is Unavailable, with what to do, for every call', async () => {
    const queue = open({ queueUrl: urlOf(await endpointOf(), 'nowhere') });
    const { signal } = new AbortController();
    const refused = /nowhere: .*(QueueDoesNotExist|NonExistentQueue).*; make the queue with catchment provision/;
    const want = { messages: 1, waitMs: 0, leaseMs: 1_000, signal };
    await expect(queue.receive(want)).rejects.toMatchObject({
      name: 'Unavailable',
      message: expect.stringMatching(refused) as string,
    });
    const [sent] = await queue.send([{ body: Buffer.from('a'), attributes: {} }]);
    expect(sent).toMatchObject({
      status: 'failed',
      retry: true,
      error: { message: expect.stringMatching(refused) as string },
    });
    expect(await queue.acknowledge(['a'])).toMatchObject([{ status: 'failed', retry: true }]);
    await expect(queue.backlog()).rejects.toMatchObject({ name: 'Unavailable' });
  });
});

test('a FIFO queue is made, keeps equal messages apart, and hands out a group in order', async () => {
  const queue = open({ queueUrl: urlOf(await sqsEndpoint(), `${randomUUID()}.fifo`) }); // sqsmem knows none
  await queue.provision!('apply', needs);
  expect(await queue.provision!('apply', needs)).toEqual([]);
  const message = { body: Buffer.from('the same'), attributes: {}, group: 'tenant-1' };
  expect(await queue.send([message, message, { ...message, body: Buffer.from('another') }])).toHaveLength(3);
  const got: string[] = [];
  while (got.length < 3) {
    const delivery = await receive(queue);
    got.push(Buffer.from(delivery.body).toString());
    expect(await queue.acknowledge([delivery.receipt])).toEqual([{ status: 'done' }]);
  }
  expect(got).toEqual(['the same', 'the same', 'another']);
});

test('check warns of a queue that delays each message', async () => {
  const endpoint = await sqsEndpoint(); // sqsmem knows no delays
  const queueUrl = urlOf(endpoint);
  const queue = open({ queueUrl });
  await queue.provision!('apply', needs);
  await set(endpoint, queueUrl, { DelaySeconds: '7' });
  expect(troubles(await queue.check(needs))).toContainEqual(expect.stringMatching(/delays each message by 7 s/));
});

describe('sqs() on sqsmem, which keeps all attributes', () => {
  test('check names each attribute that would lose or delay messages', async () => {
    const endpoint = await sqsmemEndpoint();
    const [queueUrl, deadLetterUrl] = [urlOf(endpoint), urlOf(endpoint)];
    const queue = open({ queueUrl, deadLetterUrl, heldMessages: 1_000 });
    await queue.provision!('apply', needs);
    expect(troubles(await queue.check(needs))).toEqual([]);
    const all = (await queue.check(needs)).map(({ what }) => what).join('\n');
    expect(all).toContain('120 pollers of 1000 each');
    await set(endpoint, queueUrl, {
      MessageRetentionPeriod: '259200',
      MaximumMessageSize: '262144',
    });
    await set(endpoint, deadLetterUrl, { MessageRetentionPeriod: '86400' });
    expect(troubles(await queue.check(needs))).toEqual([
      expect.stringMatching(/^error: .* keeps messages for 3 d: what waits is lost in an outage of 3 d/),
      expect.stringMatching(/^error: .* keeps messages for 24 h, less than /),
      expect.stringMatching(/^warning: .* takes messages of 262144 bytes/),
    ]);
    expect((await queue.provision!('apply', needs)).map(({ what }) => what)).toEqual([
      expect.stringMatching(/keep messages for 14 d$/),
      expect.stringMatching(/keep messages for 14 d$/),
      expect.stringMatching(/take messages of 1048576 bytes$/),
    ]);
  });

  test('a queue that takes less than SQS does gets smaller batches, and refuses only what is too large for it alone', async () => {
    const endpoint = await sqsmemEndpoint();
    const queueUrl = urlOf(endpoint);
    const queue = open({ queueUrl });
    await queue.provision!('apply', needs);
    await set(endpoint, queueUrl, { MaximumMessageSize: '262144' });
    const sizes = [200_000, 200_000, 262_145, 1_000, 1_000];
    const messages = sizes.map((bytes) => ({ body: Buffer.alloc(bytes, 'a'), attributes: {} }));
    const outcomes = await queue.send(messages);
    expect(outcomes.map(({ status }) => status)).toEqual(['done', 'done', 'failed', 'done', 'done']);
    expect(outcomes[2]).toMatchObject({
      retry: false,
      error: { message: expect.stringMatching(/MaximumMessageSize/) as string },
    });
    expect(await queue.backlog()).toMatchObject({ waiting: 4 });

    // Packed into one message, the events take more than the queue does.
    const sender = createSender(queue);
    const events = Array.from({ length: 500 }, () =>
      sender.send({ body: Buffer.alloc(512, 'a'), attributes: { kind: 'test' } }),
    );
    await sender.flush();
    expect(await Promise.all(events)).toHaveLength(500);
  });

  test('a lease that would be longer than SQS allows in all is expired', async () => {
    const queue = open({ queueUrl: urlOf(await sqsmemEndpoint()) });
    await queue.provision!('apply', needs);
    await queue.send([{ body: Buffer.from('long'), attributes: {} }]);
    const { receipt } = await receive(queue);
    await until(
      'more than nothing to have passed',
      async () => {
        const [outcome] = await queue.extend([receipt], queue.limits.holdMs!);
        return outcome?.status === 'expired';
      },
      10_000,
    );
  });
});

async function redriveOf(endpoint: string, QueueUrl: string): Promise<unknown> {
  const { Attributes } = await clientOf(endpoint).send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['RedrivePolicy'] }),
  );
  return JSON.parse(Attributes!['RedrivePolicy']!);
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
  type Message,
  type ReceiveMessageCommandInput,
  type SendMessageBatchRequestEntry,
} from '@aws-sdk/client-sqs';

import { until } from '../until.js';
import './aws.js';
import type { StandIn } from './process.js';
import { startSqsmem } from './sqsmem.js';

const mebibyte = 1024 * 1024;
let folder: string;
let standIn: StandIn;
let sqs: SQSClient;
let QueueUrl: string;
let queues = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'catchment-sqsmem-'));
  standIn = await startSqsmem(folder, { inFlight: 20 });
  sqs = new SQSClient({ endpoint: standIn.endpoint, maxAttempts: 1 });
});
afterAll(async () => {
  sqs.destroy();
  try {
    await standIn.stop();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
beforeEach(async () => {
  QueueUrl = await create({});
});

async function create(Attributes: Record<string, string>): Promise<string> {
  const { QueueUrl: url } = await sqs.send(new CreateQueueCommand({ QueueName: `queue-${++queues}`, Attributes }));
  return url!;
}
const send = async (...bodies: string[]): Promise<void> => {
  for (const MessageBody of bodies) await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
};
const receive = async (more: Partial<ReceiveMessageCommandInput> = {}): Promise<Message[]> => {
  const all = { QueueUrl, MaxNumberOfMessages: 10, ...more };
  return (await sqs.send(new ReceiveMessageCommand(all))).Messages ?? [];
};
const sendBatch = async (...entries: Omit<SendMessageBatchRequestEntry, 'Id'>[]) => {
  const Entries = entries.map((entry, index) => ({ Id: `e${index}`, ...entry }));
  return await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
};
const attributes = async (url = QueueUrl): Promise<Record<string, string>> =>
  (await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }))).Attributes!;
const text = (StringValue: string) => ({ DataType: 'String', StringValue });

describe('queues', () => {
  test('are made, found, listed and deleted; what is not there is called by its name', async () => {
    const QueueName = `queue-${queues}`;
    expect(await sqs.send(new GetQueueUrlCommand({ QueueName }))).toMatchObject({ QueueUrl });
    const { QueueUrls } = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: QueueName }));
    expect(QueueUrls).toContain(QueueUrl);
    await expect(
      sqs.send(new CreateQueueCommand({ QueueName, Attributes: { VisibilityTimeout: '9' } })),
    ).rejects.toMatchObject({ name: 'QueueNameExists' });
    await sqs.send(new DeleteQueueCommand({ QueueUrl }));
    await expect(receive()).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
    await expect(sqs.send(new GetQueueUrlCommand({ QueueName }))).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
  });

  test('keep the attributes that are set, and refuse others', async () => {
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { MessageRetentionPeriod: '1209600' } }));
    expect(await attributes()).toMatchObject({ MessageRetentionPeriod: '1209600', VisibilityTimeout: '30' });
    for (const [name, value] of [
      ['MessageRetentionPeriod', '1209601'],
      ['VisibilityTimeout', 'long'],
    ] as const)
      await expect(
        sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { [name]: value } })),
      ).rejects.toMatchObject({ name: 'InvalidAttributeValue' });
    const named = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['VisibilityTimeout'] });
    expect((await sqs.send(named)).Attributes).toEqual({ VisibilityTimeout: '30' });
  });

  test('count what waits and what is in flight, and are purged', async () => {
    await send('a', 'b', 'c');
    await receive({ MaxNumberOfMessages: 1 });
    expect(await attributes()).toMatchObject({
      ApproximateNumberOfMessages: '2',
      ApproximateNumberOfMessagesNotVisible: '1',
    });
    await sqs.send(new PurgeQueueCommand({ QueueUrl }));
    expect(await attributes()).toMatchObject({
      ApproximateNumberOfMessages: '0',
      ApproximateNumberOfMessagesNotVisible: '0',
    });
  });
});

describe('messages', () => {
  test('come with the attributes that are asked for, and with none else', async () => {
    const MessageAttributes = {
      kind: text('wet'),
      'kind.of': text('ü'),
      raw: { DataType: 'Binary', BinaryValue: Uint8Array.of(0, 255) },
    };
    const { MessageId, MD5OfMessageAttributes } = await sqs.send(
      new SendMessageCommand({ QueueUrl, MessageBody: 'drop', MessageAttributes, MessageGroupId: 'fair' }),
    );
    // As ElasticMQ reckons it.
    expect(MD5OfMessageAttributes).toBe('e31fe015093834bb552edb839694e8fb');
    const back = { VisibilityTimeout: 0 };
    const [bare] = await receive(back);
    expect(Object.keys(bare!).sort()).toEqual(['Body', 'MD5OfBody', 'MessageId', 'ReceiptHandle']);
    const [full] = await receive({ ...back, MessageSystemAttributeNames: ['All'], MessageAttributeNames: ['All'] });
    expect(full).toMatchObject({ MessageId, Body: 'drop', MessageAttributes, MD5OfMessageAttributes });
    expect(full!.Attributes).toMatchObject({ ApproximateReceiveCount: '2', MessageGroupId: 'fair' });
    const [some] = await receive({
      ...back,
      MessageSystemAttributeNames: ['SentTimestamp'],
      MessageAttributeNames: ['kind.*'],
    });
    expect(Object.keys(some!.Attributes!)).toEqual(['SentTimestamp']);
    expect(Object.keys(some!.MessageAttributes!)).toEqual(['kind.of']);
  });

  test('that SQS cannot carry are refused; in a batch each alone', async () => {
    const many = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`name-${index}`, text('x')]));
    const { Successful, Failed } = await sendBatch(
      { MessageBody: 'good' },
      { MessageBody: 'bell \u0007' },
      { MessageBody: '\ufffe' },
      { MessageBody: '' },
      { MessageBody: 'x', MessageAttributes: { empty: text('') } },
      { MessageBody: 'x', MessageAttributes: { bell: text('\u0007') } },
      { MessageBody: 'x', MessageAttributes: many },
      { MessageBody: 'x', MessageAttributes: { 'AWS.name': text('x') } },
      { MessageBody: 'tab\tline\r\n🌧️' },
    );
    expect(Successful!.map(({ Id }) => Id)).toEqual(['e0', 'e8']);
    expect(Failed!.map(({ Id, Code }) => [Id, Code])).toEqual([
      ['e1', 'InvalidMessageContents'],
      ['e2', 'InvalidMessageContents'],
      ['e3', 'MissingParameter'],
      ...['e4', 'e5', 'e6', 'e7'].map((id) => [id, 'InvalidParameterValue']),
    ]);
    expect(Failed!.every(({ SenderFault }) => SenderFault)).toBe(true);
    await expect(send('bell \u0007')).rejects.toMatchObject({ name: 'InvalidMessageContents' });
  });

  test('hold 1 MiB with their attributes, a batch in all', async () => {
    const MessageAttributes = { name: text('value') };
    const most = mebibyte - 'nameStringvalue'.length;
    const of = (length: number) => ({ MessageBody: 'x'.repeat(length), MessageAttributes });
    await sqs.send(new SendMessageCommand({ QueueUrl, ...of(most) }));
    const over = sqs.send(new SendMessageCommand({ QueueUrl, ...of(most + 1) }));
    await expect(over).rejects.toMatchObject({ Code: 'InvalidParameterValue' });
    expect((await sendBatch(of(most - 10), { MessageBody: 'x'.repeat(10) })).Successful).toHaveLength(2);
    const batch = sendBatch(of(most - 10), { MessageBody: 'x'.repeat(11) });
    await expect(batch).rejects.toMatchObject({ name: 'BatchRequestTooLong' });
  });

  test('of a batch that is wrong as a whole are all refused', async () => {
    const entry = { Id: 'same', MessageBody: 'x' };
    const batches: [string, SendMessageBatchRequestEntry[]][] = [
      ['EmptyBatchRequest', []],
      ['TooManyEntriesInBatchRequest', Array.from({ length: 11 }, (_, index) => ({ ...entry, Id: `${index}` }))],
      ['BatchEntryIdsNotDistinct', [entry, entry]],
      ['InvalidBatchEntryId', [{ ...entry, Id: 'not this' }]],
    ];
    for (const [name, Entries] of batches)
      await expect(sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }))).rejects.toMatchObject({ name });
    expect(await receive()).toEqual([]);
    for (const more of [{ MaxNumberOfMessages: 11 }, { MaxNumberOfMessages: 0 }, { WaitTimeSeconds: 21 }])
      await expect(receive(more)).rejects.toMatchObject({ Code: 'InvalidParameterValue' });
  });
});

describe('receipts', () => {
  test('go stale with the next delivery, and are refused where they are of elsewhere', async () => {
    await send('a', 'b');
    const [first, other] = await receive({ VisibilityTimeout: 1 });
    const second = await until('a second delivery', async () =>
      (await receive({ VisibilityTimeout: 60, WaitTimeSeconds: 5 })).find(({ Body }) => Body === first!.Body),
    );
    const Entries = [first!.ReceiptHandle!, 'nonsense', other!.ReceiptHandle!].map((ReceiptHandle, index) => ({
      Id: `e${index}`,
      ReceiptHandle,
    }));
    const extended = await sqs.send(
      new ChangeMessageVisibilityBatchCommand({
        QueueUrl,
        Entries: Entries.map((entry) => ({ ...entry, VisibilityTimeout: 60 })),
      }),
    );
    const deleted = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: Entries.slice(0, 2) }));
    for (const { Failed } of [extended, deleted])
      expect(Failed!.slice(0, 2).map(({ Id, Code }) => [Id, Code])).toEqual([
        ['e0', 'ReceiptHandleIsInvalid'],
        ['e1', 'ReceiptHandleIsInvalid'],
      ]);
    const valid = { QueueUrl, ReceiptHandle: second.ReceiptHandle };
    await sqs.send(new DeleteMessageCommand(valid));
    await sqs.send(new DeleteMessageCommand(valid)); // is done already
    await expect(
      sqs.send(new ChangeMessageVisibilityCommand({ ...valid, VisibilityTimeout: 1 })),
    ).rejects.toMatchObject({ Code: 'InvalidParameterValue' });
    const elsewhere = { ...valid, QueueUrl: await create({}) };
    await expect(sqs.send(new DeleteMessageCommand(elsewhere))).rejects.toMatchObject({
      name: 'ReceiptHandleIsInvalid',
    });
  });

  test('hide a message for no more than 12 hours in all', async () => {
    await send('a');
    const [{ ReceiptHandle } = {}] = await receive();
    const extend = (VisibilityTimeout: number) =>
      sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout }));
    await expect(extend(43_201)).rejects.toMatchObject({ Code: 'InvalidParameterValue' });
    await expect(extend(43_200)).rejects.toMatchObject({ Code: 'InvalidParameterValue' });
    await extend(43_000);
    await extend(0);
    expect(await receive()).toHaveLength(1);
  });
});

describe('deliveries', () => {
  test('a long poll is woken by a send, by a message given back, and by one whose lease lapses', async () => {
    const began = Date.now();
    const wait = { WaitTimeSeconds: 20, VisibilityTimeout: 1 };
    const sentOne = receive(wait);
    await send('a');
    expect(await sentOne).toHaveLength(1);
    const [again] = await receive(wait);
    expect(again!.Body).toBe('a');
    const givenBack = receive({ ...wait, VisibilityTimeout: 60 });
    const { ReceiptHandle } = again!;
    await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
    const [held] = await givenBack;
    const shortened = receive(wait);
    await sqs.send(
      new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: held!.ReceiptHandle, VisibilityTimeout: 1 }),
    );
    expect(await shortened).toHaveLength(1);
    expect(Date.now() - began).toBeLessThan(15_000);
  });

  test('many long polls share what comes, and each message is given to one', async () => {
    const polls = Array.from({ length: 8 }, () => receive({ WaitTimeSeconds: 3, MaxNumberOfMessages: 1 }));
    await sendBatch(...Array.from({ length: 8 }, (_, index) => ({ MessageBody: `${index}` })));
    const got = (await Promise.all(polls)).flat();
    expect(got.map(({ Body }) => Body).sort()).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
  });

  test('clients that go away take no messages with them, once that is noticed', async () => {
    const gone = new AbortController();
    const command = new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 });
    const waiting = Array.from({ length: 20 }, () => sqs.send(command, { abortSignal: gone.signal }));
    await attributes();
    gone.abort();
    await Promise.allSettled(waiting);
    // Were it never noticed, each of the twenty would take one.
    let got: readonly unknown[] = [];
    for (let sent = 0; got.length === 0 && sent < 10; sent++) {
      await send(`kept ${sent}`);
      got = await receive({ WaitTimeSeconds: 1 });
    }
    expect(got).toHaveLength(1);
  });

  test('over the cap of what is in flight a receive returns nothing, until something is deleted', async () => {
    const bodies = Array.from({ length: 10 }, (_, index) => ({ MessageBody: `${index}` }));
    for (let batch = 0; batch < 3; batch++) await sendBatch(...bodies);
    const held = [...(await receive()), ...(await receive())];
    expect(held).toHaveLength(20);
    expect(await receive()).toEqual([]);
    const waiting = receive({ WaitTimeSeconds: 20 });
    await attributes();
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: held[0]!.ReceiptHandle }));
    expect(await waiting).toHaveLength(1);
  });

  test('a message that was delivered often enough goes to the dead letters, with its id and its time', async () => {
    const dead = await create({});
    const { QueueArn } = await attributes(dead);
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: QueueArn, maxReceiveCount: 2 });
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { RedrivePolicy } }));
    await send('poison');
    const all = { VisibilityTimeout: 0, MessageSystemAttributeNames: ['All' as const] };
    const [first] = await receive(all);
    expect(await receive(all)).toHaveLength(1);
    expect(await receive(all)).toEqual([]);
    const [letter] = await receive({ ...all, QueueUrl: dead });
    expect(letter).toMatchObject({ MessageId: first!.MessageId, Body: 'poison' });
    expect(letter!.Attributes).toMatchObject({
      SentTimestamp: first!.Attributes!['SentTimestamp']!,
      DeadLetterQueueSourceArn: (await attributes())['QueueArn'],
    });
    expect(await attributes()).toMatchObject({ ApproximateNumberOfMessages: '0' });
  });
});

test('it forgets what it had when it is killed, and takes no receipt from before', async () => {
  await send('a');
  const QueueName = `queue-${queues}`;
  const [before] = await receive();
  await standIn.restart();
  await expect(receive()).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
  await sqs.send(new CreateQueueCommand({ QueueName }));
  await send('b');
  const [after] = await receive();
  expect(after!.MessageId).not.toBe(before!.MessageId);
  const stale = new DeleteMessageCommand({ QueueUrl, ReceiptHandle: before!.ReceiptHandle });
  await expect(sqs.send(stale)).rejects.toMatchObject({ name: 'ReceiptHandleIsInvalid' });
});

import { randomUUID } from 'node:crypto';

import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
  type DeleteMessageBatchCommandOutput,
  type Message,
  type SendMessageBatchCommandOutput,
  type SQSClientConfig,
} from '@aws-sdk/client-sqs';

import { sqsEndpoint } from './aws.js';
import { FaultProxy } from './fault-proxy.js';
import { sqsError } from './faults/aws-errors.js';
import { delay, loseReply } from './faults/generic.js';
import { deliverAgain, deliverLate, deliverTwice, disownEntries, inFlightCap, refuseEntries } from './faults/sqs.js';

const clients: SQSClient[] = [];
let proxy: FaultProxy;
/** Through the proxy, and around it. */
let client: SQSClient;
let direct: SQSClient;
let QueueUrl: string;

beforeEach(async () => {
  const target = await sqsEndpoint();
  proxy = await FaultProxy.start({ target });
  client = sqs({ endpoint: proxy.endpoint });
  direct = sqs({ endpoint: target });
  QueueUrl = (await direct.send(new CreateQueueCommand({ QueueName: `faults-${randomUUID()}` }))).QueueUrl!;
});
afterEach(async () => {
  await direct.send(new DeleteQueueCommand({ QueueUrl }));
  for (const each of clients.splice(0)) each.destroy();
  await proxy.close();
});

describe('where the SDK sends', () => {
  test('with an endpoint in its config to the proxy, whatever host the queue URL names', async () => {
    expect(QueueUrl).not.toContain(proxy.endpoint);
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
    expect(proxy.seen.calls('SendMessage')).toBe(1);
  });

  test('with an endpoint of the environment to the host of the queue URL, unless told otherwise', async () => {
    process.env.AWS_ENDPOINT_URL_SQS = proxy.endpoint;
    try {
      const logger = { debug: silent, info: silent, warn: silent, error: silent };
      await sqs({ logger }).send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
      expect(proxy.seen.calls()).toBe(0);
      await sqs({ useQueueUrlAsEndpoint: false }).send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
      expect(proxy.seen.calls()).toBe(1);
    } finally {
      delete process.env.AWS_ENDPOINT_URL_SQS;
    }
  });
});

describe('errors', () => {
  test.each([
    [500, 'InternalError', 'server'],
    [503, 'ServiceUnavailable', 'server'],
    [429, 'ThrottlingException', 'client'],
  ] as const)(
    '%d is an error of the SDK, with its name, and is retried where that is asked for',
    async (status, code, $fault) => {
      const rule = proxy.rule({ when: { operation: 'SendMessage' }, fault: sqsError(status, code), times: 3 });
      const send = new SendMessageCommand({ QueueUrl, MessageBody: 'x' });
      await expect(client.send(send)).rejects.toMatchObject({
        name: code,
        $fault,
        $metadata: { httpStatusCode: status },
      });
      await sqs({ endpoint: proxy.endpoint, maxAttempts: 3 }).send(send);
      expect([rule.happened, await count()]).toEqual([3, 1]);
    },
  );

  test('a lost reply and a retry: the message is there twice', async () => {
    proxy.rule({ times: 1, fault: loseReply() });
    const retrying = sqs({ endpoint: proxy.endpoint, maxAttempts: 2 });
    await retrying.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
    expect([proxy.seen.faults('loseReply'), await count()]).toEqual([1, 2]);
  });
});

describe('partial failures', () => {
  test('entries that are refused have no effect', async () => {
    const rule = proxy.rule({ fault: refuseEntries(0.5) });
    const sent = outcomes(await send(client, bodies(10)));
    expect(sent.failed).toHaveLength(rule.happened);
    expect(sent.failed.length * sent.successful.length).toBeGreaterThan(0);
    expect([...sent.failed, ...sent.successful].sort()).toEqual(bodies(10));
    proxy.clear();
    const received = await drain(10 - rule.happened);
    expect(received.map(({ Body }) => Body).sort()).toEqual(sent.successful);
  });

  test('entries that are disowned have taken effect', async () => {
    const rule = proxy.rule({ fault: disownEntries(0.5) });
    const sent = outcomes(await send(client, bodies(10)));
    expect(sent.failed).toHaveLength(rule.happened);
    expect(sent.failed.length * sent.successful.length).toBeGreaterThan(0);
    expect(await count()).toBe(10);
  });

  test('a whole batch may be refused, or disowned, and its deletion too', async () => {
    const failure = { SenderFault: false, Code: 'InternalError' };
    await send(client, bodies(2));
    const messages = await drain(2);
    const refusing = proxy.rule({ fault: refuseEntries(1) });
    const behind = proxy.rule({ fault: delay(0) });
    const refused = await remove(client, messages);
    expect(refused.Successful).toEqual([]);
    // SQS knows no batch of nothing.
    expect(behind.happened).toBe(0);
    expect(refused.Failed).toMatchObject([failure, failure]);
    expect(await count('NotVisible')).toBe(2);
    refusing.remove();
    proxy.rule({ fault: disownEntries(1) });
    expect((await remove(client, messages)).Failed).toMatchObject([failure, failure]);
    expect(await count('NotVisible')).toBe(0);
  });
});

describe('deliveries', () => {
  test('again: the queue delivers once more, with a handle of its own', async () => {
    await send(client, bodies(3));
    const rule = proxy.rule({ times: 1, fault: deliverAgain(1) });
    const [first, again] = [await receive(), await receive()];
    expect(rule.happened).toBe(first.length);
    for (const message of first) {
      const other = again.find(({ MessageId }) => MessageId === message.MessageId)!;
      expect(other.ReceiptHandle).not.toBe(message.ReceiptHandle);
      expect(other.Attributes).toMatchObject({ ApproximateReceiveCount: '2' });
    }
  });

  test('twice: also what was deleted, and the SDK finds it whole', async () => {
    await send(client, bodies(10));
    const rule = proxy.rule({ fault: deliverTwice(0.5) });
    const first = await receive();
    await remove(direct, first);
    const copies = [];
    while (copies.length < 2) copies.push(...(await receive()));
    expect(rule.happened).toBeGreaterThan(0);
    const bodyOf = new Map(first.map(({ MessageId, Body }) => [MessageId, Body]));
    const known = copies.filter(({ MessageId }) => bodyOf.has(MessageId));
    expect(known.length).toBeGreaterThan(0);
    for (const { MessageId, Body } of known) expect(Body).toBe(bodyOf.get(MessageId));
  });

  test('late: each message comes once, some in a later reply', async () => {
    for (let from = 0; from < 50; from += 10) await send(client, bodies(10, from));
    const rule = proxy.rule({ fault: deliverLate(0.2) });
    const got = await drain(50);
    expect(rule.happened).toBeGreaterThan(0);
    expect(new Set(got.map(({ MessageId }) => MessageId)).size).toBe(50);
    expect(outcomes(await remove(client, got.slice(0, 10))).failed).toEqual([]);
  });
});

describe('the in-flight ceiling', () => {
  test('over it a long poll brings nothing and says nothing, a short one is refused', async () => {
    await send(client, bodies(10));
    const rule = proxy.rule({ fault: inFlightCap(5) });
    const held = await drain(5);
    const began = performance.now();
    expect(await receive(1)).toEqual([]);
    expect(performance.now() - began).toBeGreaterThan(990);
    await expect(receive(0)).rejects.toMatchObject({ name: 'OverLimit' });
    expect(rule.happened).toBe(2);
    await remove(client, held.slice(0, 2));
    expect(await drain(2)).toHaveLength(2);
    await expect(receive(0)).rejects.toMatchObject({ name: 'OverLimit' });
    const { ReceiptHandle } = held[4]!;
    await direct.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
    expect(await drain(1)).toHaveLength(1);
  });
});

test('all at once: nothing is lost, and what should happen did', async () => {
  const faults = [
    proxy.rule({ share: 0.1, fault: sqsError(503, 'ServiceUnavailable') }),
    proxy.rule({ share: 0.1, fault: loseReply() }),
    proxy.rule({ fault: refuseEntries(0.1) }),
    proxy.rule({ fault: disownEntries(0.1) }),
    proxy.rule({ fault: deliverLate(0.2) }),
    proxy.rule({ fault: deliverTwice(0.2) }),
    proxy.rule({ fault: deliverAgain(0.2) }),
    proxy.rule({ fault: inFlightCap(1_000) }),
  ];
  const left = new Set(bodies(300));
  while (left.size > 0) {
    const batch = [...left].slice(0, 10);
    const sent = await send(client, batch).catch(() => ({ Successful: [] }));
    for (const { Id } of sent.Successful ?? []) left.delete(Id!);
  }
  const got = new Set<string>();
  const poll = async (): Promise<void> => {
    while (got.size < 300) {
      const messages = await receive(1, 2).catch(() => []);
      if (messages.length > 0) await remove(client, messages).catch(() => undefined);
      for (const { Body } of messages) got.add(Body!);
    }
  };
  await Promise.all([poll(), poll(), poll()]);
  expect([...got].sort()).toEqual(bodies(300).sort());
  for (const { happened } of faults.slice(0, -1)) expect(happened).toBeGreaterThan(0);
});

/** The SDK warns of it. */
function silent(): void {
  return;
}

function sqs(config: SQSClientConfig): SQSClient {
  const made = new SQSClient({ maxAttempts: 1, ...config });
  clients.push(made);
  return made;
}

/** Each is its message's id in the batch too. */
function bodies(many: number, from = 0): string[] {
  return Array.from({ length: many }, (_, i) => `m${String(from + i).padStart(3, '0')}`);
}

function send(by: SQSClient, texts: readonly string[]): Promise<SendMessageBatchCommandOutput> {
  return by.send(new SendMessageBatchCommand({ QueueUrl, Entries: texts.map((Id) => ({ Id, MessageBody: Id })) }));
}

function remove(by: SQSClient, messages: readonly Message[]): Promise<DeleteMessageBatchCommandOutput> {
  const Entries = messages.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle }));
  return by.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
}

function outcomes({ Successful = [], Failed = [] }: SendMessageBatchCommandOutput | DeleteMessageBatchCommandOutput): {
  successful: string[];
  failed: string[];
} {
  return { successful: Successful.map(({ Id }) => Id!).sort(), failed: Failed.map(({ Id }) => Id!).sort() };
}

async function receive(WaitTimeSeconds = 1, VisibilityTimeout = 60): Promise<Message[]> {
  const asked = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds, VisibilityTimeout };
  const { Messages = [] } = await client.send(
    new ReceiveMessageCommand({ ...asked, MessageSystemAttributeNames: ['ApproximateReceiveCount'] }),
  );
  return Messages;
}

/** At least so many. */
async function drain(many: number): Promise<Message[]> {
  const got: Message[] = [];
  while (got.length < many) got.push(...(await receive()));
  return got;
}

async function count(which: 'NotVisible' | '' = ''): Promise<number> {
  const name = `ApproximateNumberOfMessages${which}` as const;
  const { Attributes } = await direct.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [name] }));
  return Number(Attributes![name]);
}

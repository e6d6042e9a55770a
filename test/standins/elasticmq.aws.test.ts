import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';

import { identify } from '../../src/dev/processes.js';
import './aws.js';
import { startElasticMq } from './elasticmq.js';
import type { StandIn } from './process.js';

let folder: string;
let standIn: StandIn;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'catchment-elasticmq-'));
  standIn = await startElasticMq(folder);
}, 120_000);
afterAll(async () => {
  try {
    await standIn.stop();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('ElasticMQ keeps over kill -9 what it acknowledged, queue and attributes as well, and leaves no process', async () => {
  const sqs = new SQSClient({ endpoint: standIn.endpoint });
  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({ QueueName: 'kept', Attributes: { VisibilityTimeout: '77' } }),
  );
  expect(QueueUrl).toContain(standIn.endpoint);
  const sent = Array.from({ length: 5 }, (_, batch) =>
    Array.from({ length: 10 }, (_, entry) => ({ Id: `${entry}`, MessageBody: `message ${batch}-${entry}` })),
  );
  for (const Entries of sent) {
    const { Failed } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    expect(Failed ?? []).toEqual([]);
  }
  const killed = standIn.pid;
  await standIn.kill();
  expect(identify(killed)).toBeUndefined();
  await standIn.restart();

  const AttributeNames = ['VisibilityTimeout' as const];
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
  expect(Attributes).toMatchObject({ VisibilityTimeout: '77' });
  const got: string[] = [];
  for (let empty = 0; empty < 2;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
    );
    empty = Messages.length === 0 ? empty + 1 : 0;
    got.push(...Messages.map(({ Body }) => Body!));
  }
  expect(got.sort()).toEqual(sent.flat().map(({ MessageBody }) => MessageBody));
  sqs.destroy();
}, 120_000);

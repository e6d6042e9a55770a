import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

import { FaultProxy } from './fault-proxy.js';
import { s3Error } from './faults/aws-errors.js';
import { cutAfter, loseReply } from './faults/generic.js';
import { plainTarget, type PlainTarget } from './faults/plain-target.js';

let target: PlainTarget;
let proxy: FaultProxy;
let client: S3Client;
beforeEach(async () => {
  target = await plainTarget();
  proxy = await FaultProxy.start({ target: target.endpoint });
  const credentials = { accessKeyId: 'none', secretAccessKey: 'none' };
  const endpoint = { endpoint: proxy.endpoint, forcePathStyle: true, region: 'us-east-1' };
  client = new S3Client({ ...endpoint, credentials, maxAttempts: 1 });
});
afterEach(async () => {
  client.destroy();
  await proxy.close();
  await target.stop();
});

const object = { Bucket: 'b', Key: 'k' };
const put = new PutObjectCommand({ ...object, Body: 'x'.repeat(3 << 20) });

test.each([
  [500, 'InternalError'],
  [503, 'SlowDown'],
  [429, 'TooManyRequests'],
  [409, 'ConditionalRequestConflict'],
])('%d is an error of the SDK, with its name', async (status, code) => {
  proxy.rule({ fault: s3Error(status, code) });
  for (const command of [put, new GetObjectCommand(object)]) {
    // Each command has another type of reply, which no one call of send takes.
    const sent = command instanceof PutObjectCommand ? client.send(command) : client.send(command);
    await expect(sent).rejects.toMatchObject({ name: code, $metadata: { httpStatusCode: status } });
  }
  await expect(client.send(new HeadObjectCommand(object))).rejects.toMatchObject({
    $metadata: { httpStatusCode: status },
  });
  expect(['PutObject', 'GetObject', 'HEAD'].map((operation) => proxy.seen.calls(operation))).toEqual([1, 1, 1]);
  expect(target.requests).toHaveLength(0);
});

test('a put whose reply is lost has reached the target', async () => {
  proxy.rule({ when: { operation: 'PutObject' }, fault: loseReply() });
  await expect(client.send(put)).rejects.toThrow('socket hang up');
  expect(target.requests).toMatchObject([{ method: 'PUT' }]);
});

test('a get may be cut in the middle of its object', async () => {
  proxy.rule({ when: { operation: 'GetObject' }, fault: cutAfter(2) });
  const { Body } = await client.send(new GetObjectCommand({ Bucket: 'half', Key: 'k' }));
  await expect(Body!.transformToString()).rejects.toMatchObject({ code: 'ECONNRESET' });
});

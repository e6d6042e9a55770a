import { randomUUID } from 'node:crypto';

import { Storage, type Bucket } from '@google-cloud/storage';

import { FaultProxy } from './fault-proxy.js';
import { gcsError } from './faults/gcs-errors.js';
import { corrupt, cutAfter, delay, halfOpen, halfOpenAfter, loseReply } from './faults/generic.js';
import { gcsEndpoint } from './gcp.js';

const key = 'raw/dt=2026-01-01/ü %#?+.json';
const bytes = 'x'.repeat(1 << 20);

let proxy: FaultProxy;
let bucket: Bucket;
let direct: Bucket;
beforeEach(async () => {
  const target = await gcsEndpoint();
  proxy = await FaultProxy.start({ target });
  const name = `bucket-${randomUUID()}`;
  [direct] = await new Storage({ apiEndpoint: target }).createBucket(name);
  bucket = new Storage({ apiEndpoint: proxy.endpoint, retryOptions: { autoRetry: false } }).bucket(name);
});
afterEach(async () => proxy.close());

const put = (body = bytes): Promise<void> =>
  bucket.file(key).save(body, { resumable: false, validation: false, preconditionOpts: { ifGenerationMatch: 0 } });
const get = async (): Promise<string> => String((await bucket.file(key).download({ validation: false }))[0]);

test('its calls have names', async () => {
  await put();
  expect(await get()).toBe(bytes);
  await bucket.file(key).getMetadata();
  await bucket.getFiles();
  await bucket.file(key).delete();
  await bucket.getMetadata();
  await bucket.storage.getBuckets();
  await bucket.delete();
  await bucket.create();
  await bucket.setMetadata({ labels: { of: 'test' } });
  await bucket.file('resumable').save(bytes, { resumable: true });
  const objects = ['insertObject', 'getObject', 'getObjectMetadata', 'listObjects', 'deleteObject'];
  const buckets = ['getBucket', 'listBuckets', 'deleteBucket', 'insertBucket', 'patchBucket'];
  const session = ['insertObject', 'insertObject'];
  expect(proxy.seen.operations).toEqual([...objects, ...buckets, ...session]);
});

test.each([
  [429, 'rateLimitExceeded'],
  [503, 'backendError'],
  [412, 'conditionNotMet'],
  [403, 'forbidden'],
])('%d is an error of the client, with its reason', async (status, reason) => {
  const rule = proxy.rule({ fault: gcsError(status, reason) });
  for (const call of [put(), bucket.file(key).getMetadata(), bucket.getFiles()])
    await expect(call).rejects.toMatchObject({ code: status, errors: [{ reason }] });
  // Bytes were asked for, and so the client reads what the error says only as bytes.
  await expect(get()).rejects.toMatchObject({ code: status });
  expect(rule.happened).toBe(4);
});

test('a put whose reply is lost has reached the bucket, and is refused the next time', async () => {
  proxy.rule({ when: { operation: 'insertObject' }, times: 1, fault: loseReply() });
  await expect(put()).rejects.toThrow();
  expect(await get()).toBe(bytes);
  await expect(put('other')).rejects.toMatchObject({ code: 412 });
});

test('a put or a get that is never answered, or stops in the middle', async () => {
  const silent = proxy.rule({ when: { operation: 'insertObject' }, times: 1, fault: halfOpen() });
  const never = put().catch((error: unknown) => error);
  await direct.file(key).save(bytes, { resumable: false });
  const stops = proxy.rule({ when: { operation: 'getObject' }, times: 1, fault: halfOpenAfter(1_000) });
  let got = 0;
  const stream = bucket.file(key).createReadStream({ validation: false });
  await new Promise<void>((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => (got += chunk.length) >= 1_000 && resolve());
    stream.once('error', reject).once('end', reject);
  });
  expect([got, silent.happened, stops.happened]).toEqual([1_000, 1, 1]);
  stream.on('error', () => undefined).destroy();
  await proxy.close();
  expect(await never).toBeInstanceOf(Error);
  proxy = await FaultProxy.start({ target: await gcsEndpoint() });
});

test('a get that is cut, changed or late', async () => {
  await put();
  const when = { operation: 'getObject' };
  proxy.rule({ when, times: 1, fault: cutAfter(1_000) });
  // Google's client never ends a download that is cut.
  const url = `${proxy.endpoint}/storage/v1/b/${bucket.name}/o/${encodeURIComponent(key)}?alt=media`;
  await expect(fetch(url).then((response) => response.text())).rejects.toThrow('terminated');
  proxy.rule({ when, times: 1, fault: corrupt() });
  const changed = await get();
  expect([changed.length, changed.endsWith(bytes.slice(-1_000)), changed === bytes]).toEqual([
    bytes.length,
    true,
    false,
  ]);
  // The client finds it out by the checksum in the head, where it is asked to.
  proxy.rule({ when, times: 1, fault: corrupt() });
  await expect(bucket.file(key).download()).rejects.toMatchObject({ code: 'CONTENT_DOWNLOAD_MISMATCH' });
  const late = proxy.rule({ when, times: 1, fault: delay(50) });
  expect(await get()).toBe(bytes);
  expect(late.happened).toBe(1);
});

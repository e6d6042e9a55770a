import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

import { identify } from '../../src/dev/processes.js';
import './aws.js';
import type { StandIn } from './process.js';
import { startSeaweedFs } from './seaweedfs.js';

let folder: string;
let standIn: StandIn;
let s3: S3Client;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'catchment-seaweedfs-'));
  standIn = await startSeaweedFs(folder);
  // It answers 500 at times while it makes volumes, for longer after a restart.
  s3 = new S3Client({ endpoint: standIn.endpoint, forcePathStyle: true, maxAttempts: 10 });
}, 120_000);
afterAll(async () => {
  s3.destroy();
  try {
    await standIn.stop();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const read = async (Bucket: string, Key: string): Promise<string> =>
  await (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToString();

test('it has room for a bucket a test, hundreds of them', async () => {
  const buckets = Array.from({ length: 300 }, (_, index) => `bucket-${index}`);
  const each = buckets.values();
  const fill = async (): Promise<void> => {
    for (const Bucket of each) {
      await s3.send(new CreateBucketCommand({ Bucket }));
      await s3.send(new PutObjectCommand({ Bucket, Key: 'key', Body: Bucket }));
    }
  };
  await Promise.all(Array.from({ length: 8 }, fill));
  for (const bucket of buckets) expect(await read(bucket, 'key')).toBe(bucket);
}, 120_000);

test('SeaweedFS keeps over kill -9 what it acknowledged, and each object stays the first', async () => {
  await s3.send(new CreateBucketCommand({ Bucket: 'kept' }));
  const keys = Array.from({ length: 20 }, (_, index) => `raw/${index}`);
  const put = (Key: string, Body: string): PutObjectCommand =>
    new PutObjectCommand({ Bucket: 'kept', Key, Body, IfNoneMatch: '*' });
  await Promise.all(keys.map((key) => s3.send(put(key, `the first of ${key}`))));
  const killed = standIn.pid;
  await standIn.kill();
  expect(identify(killed)).toBeUndefined();
  await standIn.restart();

  for (const key of keys) expect(await read('kept', key)).toBe(`the first of ${key}`);
  await expect(s3.send(put(keys[0]!, 'another'))).rejects.toMatchObject({ $metadata: { httpStatusCode: 412 } });
  await s3.send(put('raw/new', 'after'));
  expect(await read('kept', 'raw/new')).toBe('after');
}, 120_000);

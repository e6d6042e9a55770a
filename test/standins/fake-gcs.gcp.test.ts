import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Storage, type Bucket } from '@google-cloud/storage';

import { identify } from '../../src/dev/processes.js';
import { startFakeGcs } from './fake-gcs.js';
import './gcp.js';
import type { StandIn } from './process.js';

let folder: string;
let standIn: StandIn;
let storage: Storage;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'catchment-fake-gcs-'));
  standIn = await startFakeGcs(folder);
  storage = new Storage({ apiEndpoint: standIn.endpoint, retryOptions: { autoRetry: false } });
}, 120_000);
afterAll(async () => {
  try {
    await standIn.stop();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const put = (bucket: Bucket, key: string, body: string): Promise<void> =>
  bucket.file(key).save(body, { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } });
const read = async (bucket: Bucket, key: string): Promise<string> => String((await bucket.file(key).download())[0]);

test('fake-gcs-server keeps over kill -9 what it acknowledged, and each object stays the first', async () => {
  const [bucket] = await storage.createBucket('kept');
  const keys = Array.from({ length: 20 }, (_, index) => `raw/dt=2026-01-01/ü %#?+${index}`);
  await Promise.all(keys.map((key) => put(bucket, key, `the first of ${key}`)));
  const killed = standIn.pid;
  await standIn.kill();
  expect(identify(killed)).toBeUndefined();
  await standIn.restart();

  for (const key of keys) expect(await read(bucket, key)).toBe(`the first of ${key}`);
  await expect(put(bucket, keys[0]!, 'another')).rejects.toMatchObject({ code: 412 });
  await put(bucket, 'raw/new', 'after');
  expect(await read(bucket, 'raw/new')).toBe('after');
  const [files] = await bucket.getFiles({ prefix: 'raw/dt=' });
  expect(files.map(({ name }) => name).sort()).toEqual([...keys].sort());
}, 120_000);

import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';

import { describeError, LakeNotFound } from '../../errors.js';
import type { Lake } from '../lake.js';
import type { Finding } from '../queue.js';
import type { Bucket } from './s3-bucket.js';
import { checkKeeping } from './s3-check-keeping.js';
import { describeEncryption, isAsAsked } from './s3-encryption.js';

/** Whether the bucket can be used, keeps what is put there and lets nothing be put over it. Never throws. */
export async function checkBucket(bucket: Bucket, lake: Lake): Promise<readonly Finding[]> {
  const findings = await checkUse(bucket, lake);
  // One cause, as wrong credentials are, would be told again and again.
  return findings.some(({ level }) => level === 'error') ? findings : [...findings, ...(await checkKeeping(bucket))];
}

async function checkUse(bucket: Bucket, lake: Lake): Promise<Finding[]> {
  const key = `check/${randomUUID()}`;
  const findings: Finding[] = [];
  try {
    findings.push(...(await checkRoundTrip(bucket, lake, key)));
  } catch (error) {
    findings.push({ level: 'error', what: `lake ${bucket.uri}: ${describeError(error)}` });
  }
  try {
    await lake.remove([key]);
    if (findings.length === 0)
      findings.push({ level: 'ok', what: `lake ${bucket.uri}: writes once, reads, lists and removes` });
  } catch (error) {
    findings.push({ level: 'error', what: `lake ${bucket.uri}: ${describeError(error)}` });
  }
  return findings;
}

async function checkRoundTrip(bucket: Bucket, lake: Lake, key: string): Promise<Finding[]> {
  const wrong: Finding[] = [];
  await lake.put(key, Buffer.from(key));
  const second = await lake.put(key, Buffer.from(`another ${key}`));
  const read = await text(await lake.get(key)).catch((error: unknown) => {
    if (error instanceof LakeNotFound) return undefined;
    throw error;
  });
  if (second === 'written' || read === `another ${key}`)
    wrong.push({
      level: 'error',
      what: `lake ${bucket.uri}: the store ignores If-None-Match: a second put of a key replaced the first`,
      remedy: 'use a store with conditional writes, or a newer version of this one',
    });
  let listed = 0;
  for await (const _ of lake.list(key)) listed++;
  if ((read !== key && wrong.length === 0) || listed !== 1)
    wrong.push({
      level: 'error',
      what: `lake ${bucket.uri}: what was just written is not read or listed as it was`,
      remedy: 'use a store that shows a write as soon as it is done',
    });
  return [...wrong, ...(await checkEncryption(bucket, key))];
}

/** Held against an object, since a bucket's own setting says nothing of what a put asks for. */
async function checkEncryption(bucket: Bucket, probe: string): Promise<Finding[]> {
  const { encryption } = bucket.settings;
  if (encryption === undefined) return [];
  const client = await bucket.client();
  const { ServerSideEncryption: found, SSEKMSKeyId: key } = await client
    .headObject(bucket.at(probe))
    .catch((error: unknown) => {
      throw bucket.failure(error, `reading ${probe}`, 's3:GetObject', probe);
    });
  if (isAsAsked(encryption, found, key)) return [];
  return [
    {
      level: 'error',
      what: `lake ${bucket.uri}: asked for ${describeEncryption(encryption)}, the store encrypts by ${found ?? 'nothing'}${key === undefined ? '' : ` with the key ${key}`}`,
      remedy: 'use a store that encrypts as it is asked, or take encryption out of the config',
    },
  ];
}

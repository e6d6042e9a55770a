import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';

import { describeError, LakeNotFound } from '../../errors.js';
import type { Lake } from '../lake.js';
import type { Finding } from '../queue.js';
import type { Bucket } from './s3-bucket.js';
import { checkKeeping } from './s3-check-keeping.js';

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
async function checkEncryption(bucket: Bucket, key: string): Promise<Finding[]> {
  const { encryption } = bucket.settings;
  if (encryption === undefined) return [];
  const client = await bucket.client();
  const { ServerSideEncryption: found = 'none', SSEKMSKeyId: keyId = '' } = await client
    .headObject(bucket.at(key))
    .catch((error: unknown) => {
      throw bucket.failure(error, `reading ${key}`, 's3:GetObject', key);
    });
  const asked = encryption === 's3' ? 'AES256' : 'aws:kms';
  const askedKey = encryption === 's3' ? undefined : encryption.kmsKeyId;
  // A key may be asked for by its id, an alias or an ARN; an object names its ARN.
  const isOther = askedKey !== undefined && !askedKey.includes('alias/') && !keyId.endsWith(askedKey);
  if (found === asked && !isOther) return [];
  return [
    {
      level: 'error',
      what: `lake ${bucket.uri}: asked for ${asked}${isOther ? ` with the key ${askedKey}` : ''}, the store encrypts by ${found}${isOther ? ` with ${keyId}` : ''}`,
      remedy: 'use a store that encrypts as it is asked, or take encryption out of the config',
    },
  ];
}

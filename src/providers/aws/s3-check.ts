import type { Lake } from '../lake.js';
import { probe } from '../lake-probe.js';
import type { Finding } from '../queue.js';
import type { Bucket } from './s3-bucket.js';
import { checkKeeping } from './s3-check-keeping.js';
import { describeEncryption, isAsAsked } from './s3-encryption.js';

/** Whether the bucket can be used, keeps what is put there and lets nothing be put over it. Never throws. */
export async function checkBucket(bucket: Bucket, lake: Lake): Promise<readonly Finding[]> {
  const look = (key: string): Promise<Finding[]> => checkEncryption(bucket, key);
  const { findings } = await probe({ lake, condition: 'If-None-Match', look });
  // One cause, as wrong credentials are, would be told again and again.
  return findings.some(({ level }) => level === 'error') ? findings : [...findings, ...(await checkKeeping(bucket))];
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

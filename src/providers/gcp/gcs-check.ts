import type { Lake } from '../lake.js';
import { probe } from '../lake-probe.js';
import type { Finding } from '../queue.js';
import type { Bucket } from './gcs-bucket.js';
import { checkKeeping } from './gcs-check-keeping.js';

/** Whether the bucket can be used, keeps what is put there and lets nothing be put over it. Never throws. */
export async function checkBucket(bucket: Bucket, lake: Lake): Promise<readonly Finding[]> {
  const look = (key: string): Promise<Finding[]> => checkEncryption(bucket, key);
  const { findings, isRead } = await probe({ lake, condition: 'ifGenerationMatch', look });
  // One cause, as wrong credentials are, would be told again and again; why an object cannot be removed, the bucket says.
  return isRead ? [...findings, ...(await checkKeeping(bucket))] : findings;
}

/** Held against an object, since a bucket's own setting says nothing of what a put asks for. */
async function checkEncryption(bucket: Bucket, key: string): Promise<Finding[]> {
  const { kmsKeyName: asked } = bucket.settings;
  if (asked === undefined) return [];
  const query = { fields: 'kmsKeyName' };
  const { kmsKeyName: found } = await bucket.calls.json({ method: 'GET', path: bucket.objectPath(key), query }).then(
    (answer) => (answer ?? {}) as { readonly kmsKeyName?: string },
    (error: unknown) => {
      throw bucket.failure(error, `reading ${key}`, 'storage.objects.get', key);
    },
  );
  // The service names the version of the key, too.
  if (found === asked || found?.startsWith(`${asked}/`) === true) return [];
  return [
    {
      level: 'error',
      what: `lake ${bucket.uri}: asked for the key ${asked}, the store encrypts with ${found ?? 'none of Cloud KMS'}`,
      remedy: 'use a store that encrypts as it is asked, or take kmsKeyName out of the config',
    },
  ];
}

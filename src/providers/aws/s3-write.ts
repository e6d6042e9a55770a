import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { PutObjectCommandInput } from '@aws-sdk/client-s3';

import { Unavailable } from '../../errors.js';
import type { Bucket } from './s3-bucket.js';
import { encryptionOf } from './s3-encryption.js';
import { sha256At } from './s3-read.js';
import { sdkError } from './sdk.js';

const tries = 6;
const firstPauseMs = 100;

/** A conditional put: whole or not at all, and only where the key is free. */
export async function write(bucket: Bucket, key: string, body: Uint8Array): Promise<'written' | 'kept'> {
  const at = bucket.at(key);
  const sha256 = hash('sha256', body, 'base64');
  const input: PutObjectCommandInput = {
    ...at,
    Body: body,
    IfNoneMatch: '*',
    // Given here, the SDK works out none of its own; the store refuses bytes that changed on the way.
    ChecksumSHA256: sha256,
    // Never a content encoding: clients would take it off, and the bytes would not be those of the hash.
    ContentType: key.endsWith('.gz') ? 'application/gzip' : 'application/octet-stream',
    ...encryptionOf(bucket.settings.encryption),
  };
  const client = await bucket.client();
  // A request of ours went unanswered: it may have taken effect.
  let unheard = false;
  for (let attempt = 1; ; attempt++) {
    try {
      await client.putObject(input);
      return 'written';
    } catch (error) {
      const { name, status, attempts } = sdkError(error);
      unheard ||= attempts > 1;
      if (status === 412) {
        const there = await sha256At(bucket, key);
        if (there !== undefined) return there === sha256 && unheard ? 'written' : 'kept';
        if (attempt === tries)
          throw new Unavailable(`writing ${key} (${bucket.uri}): the key is taken, and yet nothing is there`, { key });
      } else if (!isConflict(name, status) || attempt === tries) {
        throw bucket.failure(error, `writing ${key}`, 's3:PutObject', key);
      }
      await sleep(Math.random() * firstPauseMs * 2 ** attempt);
    }
  }
}

/** Another put of the key was under way; which of the two is there now, only another try can tell. */
function isConflict(name: string, status: number | undefined): boolean {
  return status === 409 && (name === 'ConditionalRequestConflict' || name === 'OperationAborted');
}

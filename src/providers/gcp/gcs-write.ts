import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { Unavailable } from '../../errors.js';
import { Crc32c } from './crc32c.js';
import type { Bucket } from './gcs-bucket.js';
import type { Call } from './gcs-calls.js';
import { ErrorAnswer } from './gcs-http.js';
import { holds, sumsAt, type Sums } from './gcs-read.js';

const tries = 6;
const firstPauseMs = 100;

/** A conditional put: whole or not at all, and only where the key is free. */
export async function write(bucket: Bucket, key: string, body: Uint8Array): Promise<'written' | 'kept'> {
  const name = bucket.at(key);
  const ours: Sums = { crc32c: new Crc32c().update(body).digest(), size: String(body.length) };
  const call = uploadOf(bucket, name, body, ours.crc32c);
  // A request of ours went unanswered: it may have taken effect.
  let unheard = false;
  for (let attempt = 1; ; attempt++) {
    try {
      const { answer } = await bucket.calls.heard(call);
      if (isSame(answer as Partial<Sums> | undefined, ours) || (await holds(bucket, key, body))) return 'written';
      // Not removed, whatever it is: nothing that a lake holds is.
      throw new Unavailable(`writing ${key} (${bucket.uri}): the store does not hold the bytes that it was sent`, {
        key,
      });
    } catch (error) {
      if (!(error instanceof ErrorAnswer) || error.code !== 412)
        throw bucket.failure(error, `writing ${key}`, 'storage.objects.create', key);
      unheard ||= error.unheard;
    }
    const there = await sumsAt(bucket, key);
    if (there !== undefined) return unheard && isSame(there, ours) ? 'written' : 'kept';
    if (attempt === tries)
      throw new Unavailable(`writing ${key} (${bucket.uri}): the key is taken, and yet nothing is there`, { key });
    await sleep(Math.random() * firstPauseMs * 2 ** attempt);
  }
}

/** One request with all that is to be known of the object: the store refuses bytes that changed on the way. */
function uploadOf({ name: bucket, settings }: Bucket, name: string, body: Uint8Array, crc32c: string): Call {
  const { storageClass, kmsKeyName } = settings;
  // Never a content encoding: the store would take it off for clients, and the bytes would not be those of the hash.
  const contentType = name.endsWith('.gz') ? 'application/gzip' : 'application/octet-stream';
  const metadata = { name, contentType, crc32c, ...(storageClass !== undefined && { storageClass }) };
  const boundary = randomUUID();
  const head =
    `--${boundary}\r\ncontent-type: application/json; charset=utf-8\r\n\r\n${JSON.stringify(metadata)}\r\n` +
    `--${boundary}\r\ncontent-type: ${contentType}\r\n\r\n`;
  return {
    method: 'POST',
    path: `/upload/storage/v1/b/${bucket}/o`,
    query: { uploadType: 'multipart', name, ifGenerationMatch: '0', fields: 'crc32c,size', kmsKeyName },
    body: [`multipart/related; boundary=${boundary}`, Buffer.from(head), body, Buffer.from(`\r\n--${boundary}--`)],
  };
}

function isSame(there: Partial<Sums> | undefined, ours: Sums): boolean {
  return there?.crc32c === ours.crc32c && there.size === ours.size;
}

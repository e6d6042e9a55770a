import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';

import { LakeNotFound, Unavailable } from '../../errors.js';
import type { Bucket } from './s3-bucket.js';
import { sdkError } from './sdk.js';

/**
 * The object's bytes, held against the checksum that the store keeps. The socket is given back when the reader ends or
 * leaves; from one who never begins, or stops in the middle, it is taken when nothing moved for long.
 */
export async function read(bucket: Bucket, key: string): Promise<AsyncIterable<Uint8Array>> {
  const at = bucket.at(key);
  const client = await bucket.client();
  try {
    const { Body, ContentLength } = await client.getObject({ ...at, ChecksumMode: 'ENABLED' });
    if (!(Body instanceof Readable)) throw new Unavailable(`reading ${key} (${bucket.uri}): an answer without a body`);
    // Without a listener an error would end the process, and nobody may be reading yet.
    Body.on('error', () => undefined);
    return chunks(bucket, key, Body, ContentLength);
  } catch (error) {
    if (bucket.isNotFound(error)) throw bucket.notFound(key);
    throw failure(bucket, key, error);
  }
}

async function* chunks(
  bucket: Bucket,
  key: string,
  body: Readable,
  length: number | undefined,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      yield chunk;
    }
  } catch (error) {
    throw failure(bucket, key, error);
  }
  if (length !== undefined && bytes !== length)
    throw new Unavailable(`reading ${key} (${bucket.uri}): ${bytes} bytes came of ${length}`, { key });
}

/** SHA-256 of the object's bytes, in Base64; undefined where there is none. */
export async function sha256At(bucket: Bucket, key: string): Promise<string | undefined> {
  const at = bucket.at(key);
  const client = await bucket.client();
  try {
    const { ChecksumSHA256, ChecksumType } = await client.headObject({ ...at, ChecksumMode: 'ENABLED' });
    if (ChecksumSHA256 !== undefined && ChecksumType !== 'COMPOSITE') return ChecksumSHA256;
  } catch (error) {
    // A HEAD has no body that could say whether it is the bucket that is missing.
    if (sdkError(error).status !== 404) throw failure(bucket, key, error);
  }
  const whole = createHash('sha256');
  try {
    for await (const chunk of await read(bucket, key)) whole.update(chunk);
  } catch (error) {
    if (error instanceof LakeNotFound) return undefined;
    throw error;
  }
  return whole.digest('base64');
}

function failure(bucket: Bucket, key: string, error: unknown): Error {
  return bucket.failure(
    error,
    `reading ${key}`,
    's3:GetObject (and s3:ListBucket, to tell a missing object from a hidden one)',
    key,
  );
}

import type { IncomingMessage } from 'node:http';

import { LakeNotFound, Unavailable } from '../../errors.js';
import { Crc32c } from './crc32c.js';
import type { Bucket } from './gcs-bucket.js';
import { ErrorAnswer } from './gcs-http.js';

/** What the store says of an object's bytes: CRC32C in Base64, and their number. */
export interface Sums {
  readonly crc32c: string;
  readonly size: string;
}

const permission = 'storage.objects.get (and storage.objects.list, to tell a missing object from a hidden one)';

/**
 * The object's bytes, held against the checksum that the store keeps. The socket is given back when the reader ends or
 * leaves; from one who never begins, or stops in the middle, it is taken when nothing moved for long.
 */
export async function read(bucket: Bucket, key: string): Promise<AsyncIterable<Uint8Array>> {
  const path = bucket.objectPath(key);
  try {
    return chunks(bucket, key, await bucket.calls.stream({ method: 'GET', path, query: { alt: 'media' } }));
  } catch (error) {
    if (await isNotThere(bucket, error)) throw bucket.notFound(key);
    throw bucket.failure(error, `reading ${key}`, permission, key);
  }
}

async function* chunks(bucket: Bucket, key: string, body: IncomingMessage): AsyncGenerator<Uint8Array> {
  const { headers } = body;
  const length = headers['content-length'] ?? headers['x-goog-stored-content-length'];
  const expected = /crc32c=([\w+/=]+)/.exec(String(headers['x-goog-hash']))?.[1];
  const crc32c = new Crc32c();
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      crc32c.update(chunk);
      yield chunk;
    }
  } catch (error) {
    throw bucket.failure(error, `reading ${key}`, permission, key);
  }
  if (length !== undefined && bytes !== Number(length))
    throw new Unavailable(`reading ${key} (${bucket.uri}): ${bytes} bytes came of ${Number(length)}`, { key });
  // What is in the store may be well: it is read again.
  if (expected !== undefined && expected !== crc32c.digest())
    throw new Unavailable(`reading ${key} (${bucket.uri}): the bytes that came are not those of their checksum`, {
      key,
    });
}

/** undefined where there is no object. */
export async function sumsAt(bucket: Bucket, key: string): Promise<Sums | undefined> {
  try {
    const asked = { method: 'GET', path: bucket.objectPath(key), query: { fields: 'crc32c,size' } } as const;
    const { crc32c, size } = (await bucket.calls.json(asked)) as Partial<Sums>;
    if (typeof crc32c === 'string' && typeof size === 'string') return { crc32c, size };
  } catch (error) {
    if (await isNotThere(bucket, error)) return undefined;
    throw bucket.failure(error, `reading ${key}`, permission, key);
  }
  const whole = new Crc32c();
  let bytes = 0;
  try {
    for await (const chunk of await read(bucket, key)) {
      whole.update(chunk);
      bytes += chunk.length;
    }
  } catch (error) {
    if (error instanceof LakeNotFound) return undefined;
    throw error;
  }
  return { crc32c: whole.digest(), size: String(bytes) };
}

/** Whether the object is, byte for byte, the one that was to be written. */
export async function holds(bucket: Bucket, key: string, body: Uint8Array): Promise<boolean> {
  let at = 0;
  try {
    for await (const chunk of await read(bucket, key)) {
      if (Buffer.compare(chunk, body.subarray(at, at + chunk.length)) !== 0) return false;
      at += chunk.length;
    }
  } catch (error) {
    if (error instanceof LakeNotFound) return false;
    throw error;
  }
  return at === body.length;
}

/** The answer to a missing bucket is the same, and it must not look as if an object were gone: who lists it finds out. */
async function isNotThere(bucket: Bucket, error: unknown): Promise<boolean> {
  if (!(error instanceof ErrorAnswer) || error.code !== 404) return false;
  const query = { maxResults: '1', fields: 'kind' };
  try {
    await bucket.calls.json({ method: 'GET', path: `${bucket.path}/o`, query });
    return true;
  } catch (failed) {
    throw bucket.failure(failed, `looking for the bucket ${bucket.name}`, 'storage.objects.list');
  }
}

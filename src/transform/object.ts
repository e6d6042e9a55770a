import { hash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';

import type { Envelope } from '../envelope.js';
import { LakeCorrupt } from '../errors.js';

/** What a reference or a key says of a lake object. */
export interface ObjectClaims {
  readonly key: string;
  readonly source: string;
  readonly batch: string;
  readonly events: number;
  /** Hex SHA-256 of the bytes, or the first 32 digits of it, as in the key. */
  readonly sha256: string;
}

const lineFeed = 0x0a;
/** Node's own 16 KB take half as much CPU again. */
const chunkBytes = 256 * 1024;
/** More than any batch of ours expands to: 64 MB of envelopes, were each byte written as an escape of six. */
const mostBytes = 400_000_000;
/** Longer than any line of ours: no queue takes a message of 16 MB. */
const mostOfLine = 100_000_000;

/** The envelopes of an object, in order. Throws `LakeCorrupt` where the bytes are not what is claimed of them. */
export function* envelopesOf(object: Uint8Array, claims: ObjectClaims): Generator<Envelope> {
  const { key } = claims;
  if (claims.sha256.length < 32 || !hash('sha256', object).startsWith(claims.sha256)) {
    throw new LakeCorrupt(`${key}: the bytes have another hash than the one they were stored with`, { key });
  }
  const lines = unzip(object, key);
  let line = 0;
  for (let start = 0; start < lines.length;) {
    const end = lines.indexOf(lineFeed, start);
    const stop = end < 0 ? lines.length : end;
    line++;
    if (stop - start > mostOfLine)
      throw new LakeCorrupt(`${key}: line ${line} is longer than ${mostOfLine} bytes`, { key, line });
    const envelope = readEnvelope(lines.toString('utf8', start, stop), claims);
    if (envelope === undefined)
      throw new LakeCorrupt(`${key}: line ${line} is no envelope of this batch`, { key, line });
    yield envelope;
    start = stop + 1;
  }
  if (line !== claims.events) {
    throw new LakeCorrupt(`${key}: ${line} events where ${claims.events} were stored`, { key });
  }
}

function unzip(object: Uint8Array, key: string): Buffer {
  try {
    return gunzipSync(object, { chunkSize: chunkBytes, maxOutputLength: mostBytes });
  } catch (error) {
    const tooLong = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    const what = tooLong ? `expands to more than ${mostBytes} bytes` : 'not a whole gzip file';
    throw new LakeCorrupt(`${key}: ${what}`, { key });
  }
}

const canonicalTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function readEnvelope(line: string, claims: ObjectClaims): Envelope | undefined {
  let value: Partial<Envelope> | null;
  try {
    value = JSON.parse(line) as Partial<Envelope> | null;
  } catch {
    return undefined;
  }
  return value !== null && typeof value === 'object' && isEnvelope(value, claims) ? value : undefined;
}

function isEnvelope(value: Partial<Envelope>, claims: ObjectClaims): value is Envelope {
  return (
    typeof value.id === 'string' &&
    typeof value.sentAt === 'string' &&
    canonicalTime.test(value.sentAt) &&
    !Number.isNaN(Date.parse(value.sentAt)) &&
    value.source === claims.source &&
    value.batch === claims.batch &&
    typeof value.body === 'string' &&
    ((value.bodyEncoding as unknown) === undefined || value.bodyEncoding === 'base64') &&
    isStrings(value.attributes)
  );
}

function isStrings(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  // Not for…in: user code in this thread may have added to Object.prototype.
  return Object.values(value).every((text) => typeof text === 'string');
}

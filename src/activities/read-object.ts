import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { LakeCorrupt, LakeNotFound } from '../errors.js';
import type { Lake } from '../providers/lake.js';

const reads = 3;
const pauseMs = 500;

/** All bytes of an object, which are bounded by what a batch may hold. Throws as `Lake.get` does. */
export async function readWhole(lake: Lake, key: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await lake.get(key)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * All bytes of an object that is what its writer named. `sha256`: in hex, or as much of its beginning as is known. Throws
 * `LakeCorrupt` where it is not, and as `Lake.get` does.
 */
export async function readNamed(lake: Lake, key: string, sha256: string): Promise<Buffer> {
  const body = await readWhole(lake, key);
  if (!hash('sha256', body).startsWith(sha256))
    throw new LakeCorrupt(`${key}: the bytes that are there are not those that were written under this key`, { key });
  return body;
}

/**
 * Reads an object and works on it; an object that is gone or corrupt on three reads is a `problem`. A store that does
 * not answer is no problem of the object: that error goes on to the caller.
 */
export async function readObject<Result>(
  lake: Lake,
  key: string,
  work: (bytes: Uint8Array) => Promise<Result>,
): Promise<Result | 'gone' | 'corrupt'> {
  for (let read = 1; ; read++) {
    try {
      return await work(await readWhole(lake, key));
    } catch (error) {
      if (!(error instanceof LakeNotFound || error instanceof LakeCorrupt)) throw error;
      if (read === reads) return error instanceof LakeNotFound ? 'gone' : 'corrupt';
      await sleep(pauseMs);
    }
  }
}

import { setTimeout as sleep } from 'node:timers/promises';

import { LakeCorrupt, LakeNotFound } from '../errors.js';
import type { Lake } from '../providers/lake.js';

const reads = 3;
const pauseMs = 500;

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
      return await work(await bytesOf(lake, key));
    } catch (error) {
      if (!(error instanceof LakeNotFound || error instanceof LakeCorrupt)) throw error;
      if (read === reads) return error instanceof LakeNotFound ? 'gone' : 'corrupt';
      await sleep(pauseMs);
    }
  }
}

/** In memory of its own, so that it can be handed to a thread. */
async function bytesOf(lake: Lake, key: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await lake.get(key)) chunks.push(chunk);
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

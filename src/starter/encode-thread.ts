import { parentPort } from 'node:worker_threads';

import { encodeBatch, type BatchToEncode, type EncodedBatch } from './encode.js';
import { describeError } from '../errors.js';

/** Envelopes, compression and hashing of whole batches would stall a poller's leases and receives for a second. */
export type EncodeJob = BatchToEncode & { readonly job: number };
export type EncodeAnswer = { readonly job: number } & ({ readonly encoded: EncodedBatch } | { readonly error: string });

let last = Promise.resolve();

parentPort?.on('message', (job: EncodeJob) => {
  last = last.then(() => answer(job));
});

// A job that cannot be read has no number to answer: the thread ends with it, and all that it has in hand is told of.
parentPort?.on('messageerror', (error) => {
  throw error;
});

async function answer({ job, ...batch }: EncodeJob): Promise<void> {
  try {
    const encoded = await encodeBatch(batch);
    parentPort?.postMessage({ job, encoded } satisfies EncodeAnswer, [encoded.body.buffer as ArrayBuffer]);
  } catch (error) {
    parentPort?.postMessage({ job, error: describeError(error) } satisfies EncodeAnswer);
  }
}

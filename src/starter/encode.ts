import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { constants, createGzip } from 'node:zlib';

import { EnvelopeLines } from '../envelope-lines.js';
import { unpack } from '../packing.js';
import type { Delivery } from '../providers/queue.js';

/** What a batch's lake object is made of. */
export interface BatchToEncode {
  readonly source: string;
  readonly batch: string;
  readonly dedupeMs: number;
  readonly deliveries: readonly Pick<Delivery, 'id' | 'body' | 'attributes' | 'sentAt'>[];
}

export interface EncodedBatch {
  readonly body: Uint8Array;
  /** Hex SHA-256 of `body`. */
  readonly sha256: string;
  readonly events: number;
}

/** Of lines, before they go to gzip; of what comes out of it. Node's own 16 KB take more CPU. */
const chunkBytes = 256 * 1024;

/** The gzip NDJSON of a batch. The same batch gives the same bytes, so that a second try meets its own first one. */
export async function encodeBatch({ source, batch, dedupeMs, deliveries }: BatchToEncode): Promise<EncodedBatch> {
  const gzip = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: chunkBytes });
  const sha256 = createHash('sha256');
  const chunks: Buffer[] = [];
  gzip.on('data', (chunk: Buffer) => {
    sha256.update(chunk);
    chunks.push(chunk);
  });
  let events = 0;
  const lines = new EnvelopeLines(source, batch);
  const flush = async (): Promise<void> => {
    if (!gzip.write(lines.take())) await once(gzip, 'drain');
  };
  for (const delivery of deliveries) {
    for (const event of unpack(delivery, dedupeMs)) {
      events++;
      lines.add(event);
      if (lines.bytes >= chunkBytes) await flush();
    }
  }
  await flush();
  gzip.end();
  await once(gzip, 'end');
  // In memory of its own, so that it can be handed to another thread.
  return { body: new Uint8Array(Buffer.concat(chunks)), sha256: sha256.digest('hex'), events };
}

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { constants, createGzip } from 'node:zlib';

import { encodeEnvelope } from '../envelope.js';
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

const chunkCharacters = 256 * 1024;

/** The gzip NDJSON of a batch. The same batch gives the same bytes, so that a second try meets its own first one. */
export async function encodeBatch({ source, batch, dedupeMs, deliveries }: BatchToEncode): Promise<EncodedBatch> {
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  const sha256 = createHash('sha256');
  const chunks: Buffer[] = [];
  gzip.on('data', (chunk: Buffer) => {
    sha256.update(chunk);
    chunks.push(chunk);
  });
  let events = 0;
  let text = '';
  const flush = async (): Promise<void> => {
    const full = !gzip.write(text);
    text = '';
    if (full) await once(gzip, 'drain');
  };
  for (const delivery of deliveries) {
    for (const event of unpack(delivery, dedupeMs)) {
      events++;
      text += `${encodeEnvelope(event, source, batch)}\n`;
      if (text.length >= chunkCharacters) await flush();
    }
  }
  await flush();
  gzip.end();
  await once(gzip, 'end');
  // In memory of its own, so that it can be handed to another thread.
  return { body: new Uint8Array(Buffer.concat(chunks)), sha256: sha256.digest('hex'), events };
}

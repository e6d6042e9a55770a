import { z } from 'zod';

import { parseObjectKey } from './keys.js';

/** The doorbell: names one lake object. It is all that the secondary queue carries. */
const referenceSchema = z.strictObject({
  v: z.literal(1),
  pipeline: z.string(),
  /** The lake's `uri`. */
  lake: z.string(),
  key: z.string(),
  batch: z.string(),
  /** Hex SHA-256 of the object's bytes. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  events: z.number().int(),
  /** Size of the object as stored. */
  bytes: z.number().int().nonnegative(),
});
export type Reference = z.infer<typeof referenceSchema>;

export function encodeReference(reference: Reference): Uint8Array {
  return Buffer.from(JSON.stringify(reference));
}

/**
 * undefined where the bytes are no reference, or contradict the key they name: counted and acknowledged, since reconcile
 * finds what it meant. Retried for ever, one broken doorbell would hold up all others.
 */
export function decodeReference(body: Uint8Array): Reference | undefined {
  try {
    const reference = referenceSchema.parse(JSON.parse(Buffer.from(body).toString('utf8')));
    const named = parseObjectKey(reference.key);
    const agrees =
      named?.batch === reference.batch && named.events === reference.events && reference.sha256.startsWith(named.hash);
    return agrees ? reference : undefined;
  } catch {
    return undefined;
  }
}

import { z } from 'zod';

/** The doorbell: names one lake object. It is all that the secondary queue carries. */
export const referenceSchema = z.strictObject({
  v: z.literal(1),
  pipeline: z.string(),
  /** The lake's `uri`. */
  lake: z.string(),
  key: z.string(),
  batch: z.string(),
  /** Hex SHA-256 of the object's bytes. */
  sha256: z.string(),
  events: z.number().int(),
  /** Size of the object as stored. */
  bytes: z.number().int(),
});
export type Reference = z.infer<typeof referenceSchema>;

export function encodeReference(reference: Reference): Uint8Array {
  return Buffer.from(JSON.stringify(reference));
}

/** undefined where the bytes are no reference: counted and acknowledged, since reconcile finds what it meant. */
export function decodeReference(body: Uint8Array): Reference | undefined {
  try {
    return referenceSchema.parse(JSON.parse(Buffer.from(body).toString('utf8')));
  } catch {
    return undefined;
  }
}

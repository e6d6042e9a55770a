import { isUtf8 } from 'node:buffer';

import type { Attributes } from './events.js';

/** One line of a lake object, as any reader of NDJSON sees it. */
export interface Envelope {
  readonly id: string;
  /** ISO 8601, UTC, milliseconds. */
  readonly sentAt: string;
  readonly source: string;
  readonly batch: string;
  readonly attributes: Attributes;
  readonly body: string;
  /** Where the body is not clean UTF-8; BOM and NUL count as unclean, since readers drop or refuse them. */
  readonly bodyEncoding?: 'base64';
}

/** Clean UTF-8: a body that goes into its line as text. */
export function isClean(body: Uint8Array): boolean {
  const bom = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
  return isUtf8(body) && !bom && !body.includes(0);
}

/** The body as text, or undefined where it is not clean UTF-8. */
export function cleanText(body: Uint8Array): string | undefined {
  return isClean(body) ? Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8') : undefined;
}

/** A line without body and attributes, its id a UUID and its source of the longest. */
const emptyEnvelope = 210;

/** About how many bytes the event's line takes, without making it: what bounds a batch. */
export function envelopeBytes(bodyBytes: number, attributes: Attributes): number {
  let bytes = emptyEnvelope + bodyBytes;
  for (const name of Object.keys(attributes)) bytes += name.length + attributes[name]!.length + 6;
  return bytes;
}

/** The bytes as they were sent. */
export function bodyOf(envelope: Pick<Envelope, 'body' | 'bodyEncoding'>): Uint8Array {
  return Buffer.from(envelope.body, envelope.bodyEncoding ?? 'utf8');
}

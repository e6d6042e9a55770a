import type { Attributes, RawEvent } from './events.js';

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

// ignoreBOM keeps a leading BOM in the text, so that it can be seen; without it the BOM would be lost.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The body as text, or undefined where it is not clean UTF-8. */
export function cleanText(body: Uint8Array): string | undefined {
  try {
    const text = utf8.decode(body);
    return text.startsWith('\ufeff') || text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

/** The event's line, without the line feed. The same event gives the same bytes. */
export function encodeEnvelope(event: RawEvent, source: string, batch: string): string {
  const head = `{"id":${JSON.stringify(event.id)},"sentAt":"${new Date(event.sentAt).toISOString()}","source":"${source}","batch":"${batch}","attributes":${JSON.stringify(event.attributes)},"body":`;
  const text = cleanText(event.body);
  if (text !== undefined) return oneLine(`${head}${JSON.stringify(text)}}`);
  return oneLine(
    `${head}"${Buffer.from(event.body.buffer, event.body.byteOffset, event.body.byteLength).toString('base64')}","bodyEncoding":"base64"}`,
  );
}

/** Readers of lines may end one at these too, as Node's readline does since version 24; JSON allows them in a string. */
function oneLine(json: string): string {
  return /[\u2028\u2029]/.test(json) ? json.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029') : json;
}

/** A line without body and attributes, its id a UUID and its source of the longest. */
const emptyEnvelope = 210;

/** About how many bytes the event's line takes, without making it: what bounds a batch. */
export function envelopeBytes(bodyBytes: number, attributes: Attributes): number {
  let bytes = emptyEnvelope + bodyBytes;
  for (const name in attributes) bytes += name.length + (attributes[name]?.length ?? 0) + 6;
  return bytes;
}

/** The bytes as they were sent. */
export function bodyOf(envelope: Pick<Envelope, 'body' | 'bodyEncoding'>): Uint8Array {
  return Buffer.from(envelope.body, envelope.bodyEncoding ?? 'utf8');
}

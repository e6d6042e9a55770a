import { isClean } from './envelope.js';
import type { RawEvent } from './events.js';

const firstBytes = 512 * 1024;
/** Of a body at once: how much room is made for before it is written. */
const sliceBytes = 16 * 1024;
/** A control character takes six bytes, `\u0001`. */
const longestEscape = 6;

const hexEscape = Buffer.from('\\u00');
const hexDigits = Buffer.from('0123456789abcdef');

const copied = 0;
const inHex = 1;
/** The first byte of U+2028 and U+2029. */
const maybeSeparator = 2;

/** Readers of lines may end one at these too, as Node's readline does since version 24. */
const separatorEscapes = ['\\u2028', '\\u2029'] as const;

/** By byte: what it becomes in a JSON string; what is none of the above is the letter behind the backslash. */
const escapes = new Uint8Array(256);
escapes.fill(inHex, 0, 0x20);
escapes[0xe2] = maybeSeparator;
for (const [byte, letter] of ['\bb', '\tt', '\nn', '\ff', '\rr', '""', '\\\\'].map((pair) => Buffer.from(pair))) {
  escapes[byte!] = letter!;
}

/**
 * A batch's events as lines of NDJSON, as bytes from end to end: to make text of a body, JSON of the text and bytes of
 * that again takes twice the CPU.
 */
export class EnvelopeLines {
  readonly #tail: string;
  #buffer = Buffer.allocUnsafe(firstBytes);
  #length = 0;

  constructor(source: string, batch: string) {
    this.#tail = `,"source":"${source}","batch":"${batch}","attributes":`;
  }

  get bytes(): number {
    return this.#length;
  }

  add({ id, sentAt, attributes, body }: RawEvent): void {
    const head = `{"id":${JSON.stringify(id)},"sentAt":"${new Date(sentAt).toISOString()}"${this.#tail}${JSON.stringify(attributes)},"body":"`;
    this.#write(escapeSeparators(head));
    if (isClean(body)) {
      for (let written = 0; written < body.length;) written = this.#escape(body, written);
      this.#write('"}\n');
    } else {
      this.#write(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('base64'));
      this.#write('","bodyEncoding":"base64"}\n');
    }
  }

  /** The lines added since the last call; they are the caller's. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#length);
    this.#buffer = Buffer.allocUnsafe(firstBytes);
    this.#length = 0;
    return taken;
  }

  #write(text: string): void {
    this.#reserve(text.length * 3);
    this.#length += this.#buffer.write(text, this.#length);
  }

  /** The next bytes of a clean body as they stand in a JSON string, `JSON.stringify`'s way; how far it came. */
  #escape(body: Uint8Array, start: number): number {
    this.#reserve(sliceBytes * longestEscape);
    const to = this.#buffer;
    let at = this.#length;
    const end = Math.min(body.length, start + sliceBytes);
    let from = start;
    while (from < end) {
      const byte = body[from++]!;
      const escape = escapes[byte]!;
      if (escape === copied) {
        to[at++] = byte;
      } else if (escape === inHex) {
        // Byte by byte: a text for each would make megabytes of them take seconds.
        to.set(hexEscape, at);
        to[at + 4] = hexDigits[byte >> 4]!;
        to[at + 5] = hexDigits[byte & 0xf]!;
        at += longestEscape;
      } else if (escape === maybeSeparator) {
        if (body[from] === 0x80 && (body[from + 1]! & 0xfe) === 0xa8) {
          at += to.write(separatorEscapes[body[from + 1]! & 1]!, at);
          from += 2;
        } else {
          to[at++] = byte;
        }
      } else {
        to[at++] = 0x5c;
        to[at++] = escape;
      }
    }
    this.#length = at;
    return from;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, this.#length + bytes));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** JSON with the separators, which may stand in any of its strings, as their escapes. */
export function escapeSeparators(json: string): string {
  return /[\u2028\u2029]/.test(json)
    ? json.replaceAll('\u2028', separatorEscapes[0]).replaceAll('\u2029', separatorEscapes[1])
    : json;
}

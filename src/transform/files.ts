import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, gzip as gzipWithCallback } from 'node:zlib';

import { bodyOf, type Envelope } from '../envelope.js';
import { eventKey } from '../events.js';

const gzip = promisify(gzipWithCallback);
/** Characters gathered before they become bytes: text is on the heap, which has a limit here; bytes are not. */
const chunkCharacters = 64 * 1024;

/** A load file as it goes to staging: gzip NDJSON. */
export interface LoadFile {
  readonly body: Uint8Array;
  /** Hex SHA-256 of `body`. */
  readonly sha256: string;
  readonly lines: number;
}

export class LoadFileWriter {
  #lines = 0;
  #text = '';
  readonly #chunks: Buffer[] = [];

  add(line: string): void {
    this.#lines++;
    this.#text += line;
    if (this.#text.length >= chunkCharacters) this.#flush();
  }

  /** undefined where there is no line. */
  async finish(): Promise<LoadFile | undefined> {
    if (this.#lines === 0) return undefined;
    this.#flush();
    const packed = await gzip(Buffer.concat(this.#chunks), { level: constants.Z_BEST_SPEED });
    // Only a whole ArrayBuffer can be handed to another thread; a small Buffer is a part of Node's pool.
    const body = packed.byteLength === packed.buffer.byteLength ? packed : new Uint8Array(packed);
    return { body, sha256: hash('sha256', body), lines: this.#lines };
  }

  #flush(): void {
    this.#chunks.push(Buffer.from(this.#text));
    this.#text = '';
  }
}

/** What warehouses take for an id's column; `_event_key` tells longer ones apart. */
const idCharacters = 1024;

/** The lines that load files have for one event; what they share is made once for all tables. */
export class EventLines {
  readonly #envelope: Envelope;
  readonly #objectKey: string;
  readonly #line: number;
  #shared: { key: string; id: string; head: string; tail: string } | undefined;

  constructor(envelope: Envelope, objectKey: string, line: number) {
    this.#envelope = envelope;
    this.#objectKey = objectKey;
    this.#line = line;
  }

  /** The event's `_event_key`. */
  get key(): string {
    return this.#parts().key;
  }

  /** `columns`: as `rowWriter` gives them. */
  row(index: number, columns: string): string {
    const { head, tail } = this.#parts();
    return `${head}${index}${tail}${columns}}\n`;
  }

  /** That the event makes no row any more. */
  noRow(): string {
    return this.row(-1, '');
  }

  rejection(reason: string): string {
    const { key, id } = this.#parts();
    const { sentAt, batch } = this.#envelope;
    const place = `"key":${JSON.stringify(this.#objectKey)},"line":${this.#line}`;
    return `{"event_key":"${key}","event_id":${id},"sent_at":"${sentAt}","batch":"${batch}",${place},"reason":${JSON.stringify(reason)}}\n`;
  }

  #parts(): { key: string; id: string; head: string; tail: string } {
    this.#shared ??= this.#make();
    return this.#shared;
  }

  #make(): { key: string; id: string; head: string; tail: string } {
    const { id, sentAt, source, batch, attributes, body, bodyEncoding } = this.#envelope;
    const key = eventKey(source, id, bodyEncoding === undefined ? body : bodyOf(this.#envelope), attributes);
    const shownId = JSON.stringify(id.slice(0, idCharacters).toWellFormed());
    return {
      key,
      id: shownId,
      head: `{"_event_key":"${key}","_event_id":${shownId},"_source":"${source}","_row":`,
      tail: `,"_sent_at":"${sentAt}","_batch":"${batch}"`,
    };
  }
}

import { bodyOf, type Envelope } from '../envelope.js';
import type { Attributes } from '../events.js';
import type { EventView } from '../tables.js';
import { parseJson } from './json.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * An event as user code sees it: what costs is made when it is first asked for, once for all tables. In `json` an integer
 * that a number cannot hold is a bigint (`z.coerce.bigint()` takes it beside smaller ones); a body that is no
 * JSON, or no UTF-8, leaves it undefined.
 */
export class LakeEvent implements EventView {
  readonly id: string;
  readonly source: string;
  readonly attributes: Attributes;
  readonly #envelope: Envelope;
  #body: Uint8Array | undefined;
  #json: { value: EventView['json'] } | undefined;

  constructor(envelope: Envelope) {
    this.id = envelope.id;
    this.source = envelope.source;
    // One table must not change what the next one sees.
    this.attributes = Object.freeze(envelope.attributes);
    this.#envelope = envelope;
  }

  get sentAt(): Date {
    return new Date(this.#envelope.sentAt);
  }

  get body(): Uint8Array {
    return (this.#body ??= bodyOf(this.#envelope));
  }

  get json(): EventView['json'] {
    this.#json ??= { value: this.#parse() };
    return this.#json.value;
  }

  #parse(): EventView['json'] {
    const { body, bodyEncoding } = this.#envelope;
    try {
      // A BOM before JSON says nothing: the decoder leaves it out, as RFC 8259 (§8.1) allows.
      const text = bodyEncoding === undefined ? body : utf8.decode(bodyOf(this.#envelope));
      return parseJson(text) as EventView['json'];
    } catch {
      return undefined;
    }
  }
}

import { bodyOf, type Envelope } from '../envelope.js';
import type { Attributes } from '../events.js';
import type { EventView } from '../tables.js';
import { frozen, parseJson } from './json.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * An event as user code sees it: `json` is made when it is first asked for, once for all tables. An integer in it that a
 * number cannot hold is a bigint (`z.coerce.bigint()` takes it beside smaller ones); a body that is no JSON, or no UTF-8,
 * leaves it undefined. Nothing here can be changed: one table must not change what the next one sees.
 */
export class LakeEvent implements EventView {
  readonly #envelope: Envelope;
  #json: { value: EventView['json'] } | undefined;

  constructor(envelope: Envelope) {
    Object.freeze(envelope.attributes);
    this.#envelope = envelope;
  }

  get id(): string {
    return this.#envelope.id;
  }

  get source(): string {
    return this.#envelope.source;
  }

  get attributes(): Attributes {
    return this.#envelope.attributes;
  }

  get sentAt(): Date {
    return new Date(this.#envelope.sentAt);
  }

  /** A copy each time: bytes cannot be frozen. */
  get body(): Uint8Array {
    return bodyOf(this.#envelope);
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
      return frozen(parseJson(text)) as EventView['json'];
    } catch {
      return undefined;
    }
  }
}

import { cleanText, envelopeBytes } from './envelope.js';
import {
  attribute,
  cleanAttributes,
  cleanName,
  sentAtOf,
  withoutReserved,
  type Attributes,
  type RawEvent,
} from './events.js';
import type { Delivery, Message } from './providers/queue.js';

/** One event before it is sent. The id is a UUIDv7 of the moment unless the producer has one of its own. */
export interface OutgoingEvent {
  readonly id: string;
  readonly attributes: Attributes;
  readonly body: Uint8Array;
}

/** What packers stay under, so that a packed message always fits into one batch. */
export const packLimits = { envelopeBytes: 16_000_000, events: 20_000 } as const;
/** A packed message that would expand beyond this is not unpacked: it is stored as one event. */
const expandedBytes = 64_000_000;

/** A UUID's, which `envelopeBytes` counts. */
const usualIdLength = 36;

const lineFeed = 0x0a;

/** Where an event's body stands within a packed message: no copy is made until it is written. */
interface PackedHead {
  readonly events: readonly (readonly [id: string, length: number, attributes?: Attributes])[];
  readonly attributes?: Attributes;
}

/**
 * One queue message of many events: attribute `catchment-packed: 1`, a JSON header line
 * `{"events":[[id, length, attributes?],…],"attributes":{…common}}`, then the bodies end to end, untouched.
 */
export function pack(events: readonly OutgoingEvent[], common: Attributes = {}): Message {
  const head = JSON.stringify({
    events: events.map(({ id, body, attributes }) =>
      Object.keys(attributes).length > 0 ? [id, body.length, attributes] : [id, body.length],
    ),
    attributes: common,
  });
  return {
    attributes: { [attribute.packed]: '1' },
    body: Buffer.concat([Buffer.from(`${head}\n`), ...events.map((event) => event.body)]),
  };
}

/** An event on its own, its id carried beside it. */
export function single(event: OutgoingEvent): Message {
  return { attributes: { ...withoutReserved(event.attributes), [attribute.id]: event.id }, body: event.body };
}

/** What a delivery holds, measured without copying a body. */
export interface Contents {
  readonly events: number;
  /** Bytes the events take as envelopes. */
  readonly bytes: number;
  /** The message says that it is packed, but cannot be read or would expand too far: it is one event, as it came. */
  readonly broken?: true;
}

/** Counts a delivery's events and what they take in a batch. */
export function measure(delivery: Pick<Delivery, 'body' | 'attributes'>): Contents {
  const one = (): Contents => ({ events: 1, bytes: envelopeBytes(delivery.body.length, delivery.attributes) });
  if (delivery.attributes[attribute.packed] === undefined) return one();
  const head = readHead(delivery.body);
  return head === undefined
    ? { ...one(), broken: true }
    : { events: head.packed.events.length, bytes: expanded(head.packed) };
}

/** The events of a delivery, bodies as views of its bytes. */
export function unpack(
  delivery: Pick<Delivery, 'id' | 'body' | 'attributes' | 'sentAt'>,
  dedupeMs: number,
): RawEvent[] {
  const queueSentAt = delivery.sentAt.getTime();
  const head = delivery.attributes[attribute.packed] === undefined ? undefined : readHead(delivery.body);
  if (head === undefined) {
    const own = delivery.attributes[attribute.id] ?? '';
    // By an empty id all events of the same bytes would be copies of one.
    const id = cleanName(own === '' ? delivery.id : own);
    const broken = delivery.attributes[attribute.packed] !== undefined;
    const attributes = broken ? delivery.attributes : withoutReserved(delivery.attributes);
    const sentAt = sentAtOf(id, queueSentAt, dedupeMs);
    return [{ id, sentAt, attributes: cleanAttributes(attributes), body: delivery.body }];
  }
  const common = cleanAttributes(withoutReserved(head.packed.attributes ?? {}));
  let at = head.bodiesAt;
  return head.packed.events.map(([id, length, own]) => ({
    id: cleanName(id),
    sentAt: sentAtOf(id, queueSentAt, dedupeMs),
    attributes: own === undefined ? common : { ...common, ...cleanAttributes(withoutReserved(own)) },
    body: delivery.body.subarray(at, (at += length)),
  }));
}

function readHead(body: Uint8Array): { packed: PackedHead; bodiesAt: number } | undefined {
  const end = body.indexOf(lineFeed);
  // Not merely decoded: two ids of which each holds a broken byte would become one.
  const text = end < 0 ? undefined : cleanText(body.subarray(0, end));
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isHead(value)) return undefined;
  const total = value.events.reduce((sum, [, length]) => sum + length, 0);
  const fits = total === body.length - end - 1 && value.events.length > 0 && expanded(value) <= expandedBytes;
  return fits ? { packed: value, bodiesAt: end + 1 } : undefined;
}

function expanded(head: PackedHead): number {
  const empty = envelopeBytes(0, {});
  const common = envelopeBytes(0, head.attributes ?? {});
  return head.events.reduce((sum, [id, length, own]) => {
    const longer = Math.max(0, id.length - usualIdLength);
    return sum + common + longer + length + (own === undefined ? 0 : envelopeBytes(0, own) - empty);
  }, 0);
}

function isHead(value: unknown): value is PackedHead {
  if (typeof value !== 'object' || value === null) return false;
  const { events, attributes } = value as { events?: unknown; attributes?: unknown };
  return (
    Array.isArray(events) &&
    (attributes === undefined || isAttributes(attributes)) &&
    events.every(
      (event: unknown) =>
        Array.isArray(event) &&
        typeof event[0] === 'string' &&
        event[0] !== '' &&
        Number.isSafeInteger(event[1]) &&
        (event[1] as number) >= 0 &&
        (event[2] === undefined || isAttributes(event[2])),
    )
  );
}

function isAttributes(value: unknown): value is Attributes {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((text) => typeof text === 'string')
  );
}

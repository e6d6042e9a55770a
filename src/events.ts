import { hash } from 'node:crypto';

import { timeOfId } from './ids.js';

export type Attributes = Readonly<Record<string, string>>;

/** One event as the ingest side knows it: bytes that nobody has looked into. */
export interface RawEvent {
  readonly id: string;
  /** Unix milliseconds, equal on every delivery. */
  readonly sentAt: number;
  readonly attributes: Attributes;
  readonly body: Uint8Array;
}

/** Attributes of ours, which never reach an event. */
export const attribute = { id: 'catchment-id', packed: 'catchment-packed' } as const;
export const reserved = 'catchment-';

/** Without those that begin with `catchment-`. */
export function withoutReserved(attributes: Attributes): Attributes {
  let clean: Record<string, string> | undefined;
  for (const name of Object.keys(attributes)) {
    if (!name.startsWith(reserved)) continue;
    clean ??= { ...attributes };
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a record of strings, copied above
    delete clean[name];
  }
  return clean ?? attributes;
}

/**
 * When an event was sent: the time in its id where that is a UUIDv7 within `dedupeMs` of the queue's send time, else the
 * queue's send time. Equal on every delivery, never the time of polling.
 */
export function sentAtOf(id: string, queueSentAt: number, dedupeMs: number): number {
  const time = timeOfId(id);
  return time !== undefined && Math.abs(time - queueSentAt) <= dedupeMs ? time : queueSentAt;
}

/** Whether `sentAt` came from the id itself, so that every copy of the event carries the same. */
export function sentAtIsOfId(id: string, sentAt: number): boolean {
  return timeOfId(id) === sentAt;
}

/**
 * `_event_key`: (source, id, first 128 bits of the SHA-256 of the body; of the sorted attributes where the body is empty)
 * as one hash, 32 hex digits. Same id and same bytes: a duplicate. Same id and other bytes: another event.
 */
export function eventKey(source: string, id: string, body: Uint8Array, attributes: Attributes): string {
  const content = body.length > 0 ? body : JSON.stringify(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
  return hash('sha256', `${source}\0${id}\0${hash('sha256', content).slice(0, 32)}`).slice(0, 32);
}

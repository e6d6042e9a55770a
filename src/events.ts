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
 * The text with each lone surrogate and NUL written as its escape, six characters: no warehouse takes the characters
 * themselves, nor do most readers of a lake object, and U+FFFD for each would make two ids one.
 */
export function cleanName(text: string): string {
  return isClean(text) ? text : text.replace(/\0|\p{Surrogate}/gu, escape);
}

/** Names and values as `cleanName` makes them. */
export function cleanAttributes(attributes: Attributes): Attributes {
  const entries = Object.entries(attributes);
  if (entries.every(([name, value]) => isClean(name) && isClean(value))) return attributes;
  return Object.fromEntries(entries.map(([name, value]) => [cleanName(name), cleanName(value)]));
}

function isClean(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
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
 * as one hash, 32 hex digits. Same id and same bytes: a duplicate. Same id and other bytes: another event. JSON keeps the
 * parts apart: an id may hold any character, lone surrogates included, and a body may look like attributes. A body given
 * as text stands for its UTF-8.
 */
export function eventKey(source: string, id: string, body: Uint8Array | string, attributes: Attributes): string {
  const content =
    body.length > 0
      ? shortHash(body)
      : { attributes: shortHash(JSON.stringify(Object.entries(attributes).sort(byName))) };
  return shortHash(JSON.stringify([source, id, content]));
}

function shortHash(content: string | Uint8Array): string {
  return hash('sha256', content).slice(0, 32);
}

function byName([a]: [string, string], [b]: [string, string]): number {
  return a < b ? -1 : 1;
}

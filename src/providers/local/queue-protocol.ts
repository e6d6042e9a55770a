import type { Finding } from '../queue.js';
import type { Settled, TakenRow } from './queue-store.js';

/** What a queue asks of its thread. Bodies travel as buffers of their own that are handed over, not copied again. */
export interface Requests {
  /** `bodies` holds the bodies end to end. */
  send: { messages: readonly { readonly head: string; readonly bytes: number }[]; bodies: ArrayBuffer };
  receive: { messages: number; bytes: number; waitMs: number; leaseMs: number };
  /** Ends the waiting of a receive; answered by that receive. */
  abort: { receive: number };
  /** Without `leaseMs`, an acknowledgement. */
  settle: { receipts: readonly string[]; leaseMs?: number };
  backlog: object;
  check: object;
  /** Nothing may be asked after it. */
  close: object;
}

export interface Answers {
  send: null;
  receive: TakenRow[];
  settle: Settled[];
  backlog: { waiting: number; leased: number; oldestMs?: number };
  check: Finding[];
  close: null;
}

export type Request = { [Do in keyof Requests]: { call: number; do: Do; of: Requests[Do] } }[keyof Requests];

/** A failure is told in words, ready for a person: an error's class does not survive the way between threads. */
export type Reply = { call: number; answer: Answers[keyof Answers] } | { call: number; failure: string };

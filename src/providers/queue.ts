import type { Provisioned } from './provision.js';

/** What became of one message of a call that carried many. */
export type Outcome =
  | { readonly status: 'done' }
  /** acknowledge, extend: the lease is no longer ours; the message will come again. */
  | { readonly status: 'expired' }
  /** `retry: false`: too large, not allowed; the same call can never succeed. */
  | { readonly status: 'failed'; readonly error: Error; readonly retry: boolean };

/** What `check` found: `error` means that the part cannot keep its promise. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'error';
  readonly what: string;
  readonly remedy?: string;
}

/** A message as its producer sends it: bytes, never looked into. */
export interface Message {
  readonly body: Uint8Array;
  readonly attributes: Readonly<Record<string, string>>;
  /** Fairness or ordering group, passed through where the queue has such a thing. */
  readonly group?: string;
}

/** One handing-out of a message; the memory of its body is the receiver's from then on. */
export interface Delivery extends Message {
  /** The queue's own id of the message, equal on every delivery. */
  readonly id: string;
  /** Acknowledges this delivery alone; opaque, and stays in the process that received it. */
  readonly receipt: string;
  /** The queue's send time, equal on every delivery. */
  readonly sentAt: Date;
  /** How often the message was handed out, this time included, where the queue counts. */
  readonly deliveries?: number;
}

/** What the pipeline expects of a queue, in milliseconds. */
export interface Needs {
  /** The outage that messages must outlast. */
  readonly surviveMs: number;
  /** How long a message is hidden from others when it is handed out. */
  readonly leaseMs: number;
}

export interface QueueLimits {
  /** Largest message, as measured by `sizeOf`, in bytes. */
  readonly messageBytes: number;
  /** Most messages one `receive` can return. */
  readonly receiveMessages: number;
  /** Most bytes that one `receive` returns (one larger message may come alone). */
  readonly receiveBytes: number;
  /** Longest single lease, in milliseconds. */
  readonly leaseMs: number;
  /** Longest time from first delivery that a message can be held in all, in milliseconds. */
  readonly holdMs?: number;
  /** Most messages that one process should hold at once, where the queue has a ceiling for all of them together. */
  readonly heldMessages?: number;
  /** Requests that should always wait for messages, where few that one brings do not mean that few wait; default: one. */
  readonly receives?: number;
}

/** Approximate: for people and autoscalers, never for a proof. */
export interface Backlog {
  readonly waiting: number;
  /** 0 where the queue counts those as waiting too. */
  readonly leased: number;
  /** Age of the oldest message, in milliseconds. */
  readonly oldestMs?: number;
  /** When it was so, where the queue tells it only some time later; default: now. */
  readonly asOf?: Date;
}

/** A durable queue that delivers at least once. */
export interface Queue {
  readonly limits: QueueLimits;
  /** Bytes that the message takes of `limits.messageBytes`, after the provider's own encoding. */
  sizeOf(message: Message): number;
  /**
   * ONE request for up to `limits.receiveMessages` messages; pollers keep several going. Waits up to `waitMs` for the
   * first. On abort it asks no more and resolves with what is already under way: a leased message is never dropped.
   */
  receive(want: { messages: number; waitMs: number; leaseMs: number; signal: AbortSignal }): Promise<Delivery[]>;
  /** One outcome a message, in order. `done` = durable. After `failed` it may still have happened. */
  send(messages: readonly Message[]): Promise<Outcome[]>;
  acknowledge(receipts: readonly string[]): Promise<Outcome[]>;
  /** Hidden for `leaseMs` from now; 0 gives the message back at once. */
  extend(receipts: readonly string[], leaseMs: number): Promise<Outcome[]>;
  backlog(): Promise<Backlog>;
  readonly deadLetters?: Queue | undefined;
  check(needs: Needs): Promise<readonly Finding[]>;
  /** Makes the queue, or changes what is not as it should be; repeatable. Nothing: all is. */
  provision?(how: 'plan' | 'apply', needs: Needs): Promise<readonly Provisioned[]>;
  close(): Promise<void>;
}

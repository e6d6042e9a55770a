import { setTimeout as sleep } from 'node:timers/promises';

import { logged, type Logger } from '../log.js';
import type { Outcome, Queue } from '../providers/queue.js';

interface Lease {
  /** When it lapses unless it is extended, by this process's monotonic clock. */
  until: number;
  readonly since: number;
}

/** A receipt that lives longer than this share of the queue's longest hold is given back: the queue would take it anyway. */
const longestShare = 0.95;
const acknowledgeAttempts = 6;

/** Keeps the leases of what a poller holds: extended when half is gone, many at a time, never in the way of acknowledgements. */
export class Leases {
  readonly #queue: Queue;
  readonly #leaseMs: number;
  readonly #log: Logger;
  readonly #held = new Map<string, Lease>();
  readonly #timer: NodeJS.Timeout;
  #acknowledged = 0;
  /** Until when no other extension is asked for: at the latest, since one that hangs must not let all leases lapse. */
  #extendingUntil = 0;

  constructor(queue: Queue, leaseMs: number, log: Logger) {
    this.#queue = queue;
    this.#leaseMs = Math.min(leaseMs, queue.limits.leaseMs);
    this.#log = log;
    this.#timer = setInterval(() => void this.#extendDue(), this.#leaseMs / 10);
  }

  get leaseMs(): number {
    return this.#leaseMs;
  }

  /** Messages that this process has leased, as far as it can tell. */
  get held(): number {
    return this.#held.size;
  }

  /** Messages that were acknowledged. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  hold(receipts: readonly string[]): void {
    const now = performance.now();
    for (const receipt of receipts) this.#held.set(receipt, { until: now + this.#leaseMs, since: now });
  }

  /** Whether none of them has lapsed, as far as this process can tell. */
  holds(receipts: readonly string[]): boolean {
    return receipts.every((receipt) => this.#held.has(receipt));
  }

  /** Acknowledges for good, and never throws: what fails comes again, as a copy that the warehouse knows. */
  async acknowledge(receipts: readonly string[]): Promise<void> {
    let open = receipts;
    let refused = 0;
    let why: unknown;
    for (let attempt = 0; open.length > 0 && attempt < acknowledgeAttempts; attempt++) {
      if (attempt > 0) await sleep(50 * 2 ** attempt);
      const once = await this.#acknowledgeOnce(open);
      open = once.again;
      refused += once.refused;
      why = once.error ?? why;
    }
    const messages = open.length + refused;
    if (messages > 0) this.#log.warn({ messages, ...reason(why) }, 'not acknowledged; these messages will come again');
    this.forget(receipts);
  }

  /** `again`: those that may succeed when they are tried again; `refused`: how many never will. */
  async #acknowledgeOnce(
    receipts: readonly string[],
  ): Promise<{ again: readonly string[]; refused: number; error?: unknown }> {
    try {
      const outcomes = await this.#queue.acknowledge(receipts);
      this.#acknowledged += outcomes.filter(({ status }) => status === 'done').length;
      const again = receipts.filter((_, index) => {
        const outcome = outcomes[index];
        return outcome?.status === 'failed' && outcome.retry;
      });
      const { messages, error } = failuresOf(outcomes);
      return { again, refused: messages - again.length, error };
    } catch (error) {
      return { again: receipts, refused: 0, error };
    }
  }

  /** Gives messages back; they come again after `delayMs`. Never throws: else they come when their leases lapse. */
  async giveBack(receipts: readonly string[], delayMs = 0): Promise<void> {
    this.forget(receipts);
    if (receipts.length === 0) return;
    try {
      this.#tell(await this.#queue.extend(receipts, delayMs), 'not given back; these leases lapse');
    } catch (error) {
      this.#log.warn({ messages: receipts.length, ...logged(error) }, 'not given back; these leases lapse');
    }
  }

  forget(receipts: readonly string[]): void {
    for (const receipt of receipts) this.#held.delete(receipt);
  }

  /** Gives back all that is still held, and keeps nothing any more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.giveBack([...this.#held.keys()]);
  }

  async #extendDue(): Promise<void> {
    const now = performance.now();
    if (now < this.#extendingUntil) return;
    const longest = (this.#queue.limits.holdMs ?? Infinity) * longestShare;
    const due: string[] = [];
    const old: string[] = [];
    for (const [receipt, { until, since }] of this.#held) {
      if (now - since > longest) old.push(receipt);
      else if (until - now < this.#leaseMs / 2) due.push(receipt);
    }
    if (due.length + old.length === 0) return;
    const giveUpAt = now + this.#leaseMs / 4;
    this.#extendingUntil = giveUpAt;
    try {
      await Promise.all([this.giveBack(old), this.#extend(due)]);
    } catch (error) {
      this.#log.warn({ messages: due.length, ...logged(error) }, 'leases were not extended; tried again');
    } finally {
      if (this.#extendingUntil === giveUpAt) this.#extendingUntil = 0;
    }
  }

  async #extend(receipts: readonly string[]): Promise<void> {
    if (receipts.length === 0) return;
    const asked = performance.now();
    const outcomes = await this.#queue.extend(receipts, this.#leaseMs);
    receipts.forEach((receipt, index) => {
      const lease = this.#held.get(receipt);
      if (lease === undefined) return;
      if (outcomes[index]?.status === 'done') lease.until = asked + this.#leaseMs;
      if (outcomes[index]?.status === 'expired') this.#held.delete(receipt);
    });
    this.#tell(outcomes, 'leases were not extended; tried again');
  }

  #tell(outcomes: readonly Outcome[], what: string): void {
    const { messages, error } = failuresOf(outcomes);
    if (messages > 0) this.#log.warn({ messages, ...reason(error) }, what);
  }
}

/** Messages with which something did not succeed, and the first reason that was given. */
interface Failures {
  readonly messages: number;
  readonly error?: unknown;
}

function failuresOf(outcomes: readonly Outcome[]): Failures {
  const failed = outcomes.filter((outcome) => outcome.status === 'failed');
  return { messages: failed.length, error: failed[0]?.error };
}

function reason(error: unknown): object {
  return error === undefined ? {} : logged(error);
}

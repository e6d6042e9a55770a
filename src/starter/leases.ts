import { setTimeout as sleep } from 'node:timers/promises';

import { logged, type Logger } from '../log.js';
import type { Queue } from '../providers/queue.js';

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
    for (let attempt = 0; open.length > 0 && attempt < acknowledgeAttempts; attempt++) {
      if (attempt > 0) await sleep(50 * 2 ** attempt);
      open = await this.#acknowledgeOnce(open);
    }
    if (open.length > 0) this.#log.warn({ messages: open.length }, 'not acknowledged; these messages will come again');
    this.forget(receipts);
  }

  /** Those that may succeed when they are tried again. */
  async #acknowledgeOnce(receipts: readonly string[]): Promise<readonly string[]> {
    try {
      const outcomes = await this.#queue.acknowledge(receipts);
      this.#acknowledged += outcomes.filter(({ status }) => status === 'done').length;
      return receipts.filter((_, index) => {
        const outcome = outcomes[index];
        return outcome?.status === 'failed' && outcome.retry;
      });
    } catch {
      return receipts;
    }
  }

  /** Gives messages back; they come again after `delayMs`. Never throws: else they come when their leases lapse. */
  async giveBack(receipts: readonly string[], delayMs = 0): Promise<void> {
    this.forget(receipts);
    if (receipts.length === 0) return;
    try {
      await this.#queue.extend(receipts, delayMs);
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
  }
}

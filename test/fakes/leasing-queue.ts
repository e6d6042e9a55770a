import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { newId } from '../../src/ids.js';
import type { Delivery, Message, Outcome, Queue, QueueLimits } from '../../src/providers/queue.js';

interface Kept extends Message {
  readonly id: string;
  readonly sentAt: Date;
  deliveries: number;
  receipt?: string;
  /** By `performance.now`. */
  hiddenUntil: number;
}

const done: Outcome = { status: 'done' };

/** A queue in memory that leases as a real one does, and fails when a test asks it to. */
export class LeasingQueue implements Queue {
  readonly limits: QueueLimits;
  /** Whether deliveries are counted. */
  readonly counts: boolean;
  /** In the order of acknowledgement: ids. */
  readonly acknowledged: string[] = [];
  readonly extended: { readonly receipts: readonly string[]; readonly leaseMs: number }[] = [];
  receives = 0;
  readonly faults: {
    receive?: () => Promise<void>;
    acknowledge?: (receipts: readonly string[]) => Promise<readonly Outcome[] | undefined>;
    extend?: (receipts: readonly string[]) => Promise<void>;
  } = {};
  readonly #messages = new Map<string, Kept>();
  readonly #leases = new Map<string, Kept>();
  readonly #news = new EventEmitter().setMaxListeners(0);

  constructor({ counts = true, ...limits }: Partial<QueueLimits> & { counts?: boolean } = {}) {
    this.counts = counts;
    const usual = { messageBytes: 1e8, receiveMessages: 100, receiveBytes: 16_000_000, leaseMs: 43_200_000 };
    this.limits = { ...usual, ...limits };
  }

  /** Returns the messages' ids. */
  put(...messages: (Partial<Message> & { readonly body: Uint8Array })[]): string[] {
    const ids = messages.map((message) => {
      const id = newId();
      this.#messages.set(id, {
        attributes: {},
        ...message,
        id,
        sentAt: new Date(),
        deliveries: 0,
        hiddenUntil: 0,
      });
      return id;
    });
    this.#news.emit('news');
    return ids;
  }

  get waiting(): string[] {
    const now = performance.now();
    return [...this.#messages.values()].filter(({ hiddenUntil }) => hiddenUntil <= now).map(({ id }) => id);
  }

  get size(): number {
    return this.#messages.size;
  }

  deliveriesOf(id: string): number {
    return this.#messages.get(id)?.deliveries ?? 0;
  }

  sizeOf({ body }: Message): number {
    return body.length;
  }

  async receive(want: Parameters<Queue['receive']>[0]): Promise<Delivery[]> {
    this.receives++;
    await this.faults.receive?.();
    const until = performance.now() + want.waitMs;
    for (;;) {
      const taken = want.signal.aborted ? [] : this.#take(want.messages, want.leaseMs);
      if (taken.length > 0 || want.signal.aborted || performance.now() >= until) return taken;
      const stop = new AbortController();
      const signal = AbortSignal.any([stop.signal, want.signal]);
      const news = once(this.#news, 'news', { signal });
      const lapse = sleep(Math.max(1, Math.min(this.#nextLapse(), until) - performance.now()), undefined, { signal });
      await Promise.race([news, lapse]).catch(() => undefined);
      stop.abort();
      await Promise.allSettled([news, lapse]);
    }
  }

  async acknowledge(receipts: readonly string[]): Promise<Outcome[]> {
    const instead = await this.faults.acknowledge?.(receipts);
    if (instead !== undefined) return [...instead];
    return receipts.map((receipt) => {
      const message = this.#leased(receipt);
      if (message === undefined) return { status: 'expired' };
      this.#messages.delete(message.id);
      this.acknowledged.push(message.id);
      return done;
    });
  }

  async extend(receipts: readonly string[], leaseMs: number): Promise<Outcome[]> {
    this.extended.push({ receipts, leaseMs });
    await this.faults.extend?.(receipts);
    const outcomes = receipts.map((receipt): Outcome => {
      const message = this.#leased(receipt);
      if (message === undefined) return { status: 'expired' };
      message.hiddenUntil = performance.now() + leaseMs;
      return done;
    });
    this.#news.emit('news');
    return outcomes;
  }

  send(messages: readonly Message[]): Promise<Outcome[]> {
    this.put(...messages);
    return Promise.resolve(messages.map(() => done));
  }

  backlog(): Promise<{ waiting: number; leased: number }> {
    const waiting = this.waiting.length;
    return Promise.resolve({ waiting, leased: this.#messages.size - waiting });
  }

  check(): Promise<[]> {
    return Promise.resolve([]);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #take(messages: number, leaseMs: number): Delivery[] {
    const now = performance.now();
    const taken: Delivery[] = [];
    let bytes = 0;
    for (const message of this.#messages.values()) {
      if (message.hiddenUntil > now) continue;
      bytes += message.body.length;
      if (taken.length === messages || (taken.length > 0 && bytes > this.limits.receiveBytes)) break;
      message.deliveries++;
      message.receipt = newId();
      this.#leases.set(message.receipt, message);
      message.hiddenUntil = now + leaseMs;
      const { id, body, attributes, sentAt, receipt, deliveries } = message;
      // What is handed out is the receiver's, who may hand it to a thread.
      taken.push({ id, body: Uint8Array.from(body), attributes, sentAt, receipt, ...(this.counts && { deliveries }) });
    }
    return taken;
  }

  #leased(receipt: string): Kept | undefined {
    const message = this.#leases.get(receipt);
    const ours = message?.receipt === receipt && message.hiddenUntil > performance.now();
    return ours && this.#messages.has(message.id) ? message : undefined;
  }

  #nextLapse(): number {
    return Math.min(...[...this.#messages.values()].map(({ hiddenUntil }) => hiddenUntil));
  }
}

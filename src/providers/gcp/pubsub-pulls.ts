import { setTimeout as sleep } from 'node:timers/promises';

import type { PubsubCalls, Pull, ReceivedMessage } from './pubsub-calls.js';

/** How long a pull waits at the service; Google's own clients wait as long. */
const pullMs = 60_000;
/** What came and nobody has asked for is given back after it. */
const unclaimedMs = 5_000;
/** What is under way when all is to end arrives within it, or is hidden for a lease. */
const graceMs = 500;

interface Want {
  readonly messages: number;
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

interface Arrived {
  messages: readonly ReceivedMessage[];
  readonly unclaimed: NodeJS.Timeout;
}

interface Receiver {
  readonly look: () => void;
  readonly fail: (error: Error) => void;
}

/**
 * Pulls that wait at the service for whoever receives next. The service hands messages out to a pull also when its caller has
 * just left, and nobody has them for a whole lease then: so a receiver that waits no longer leaves its pull there.
 */
export class Pulls {
  readonly #calls: PubsubCalls;
  readonly #giveBack: (receipts: readonly string[]) => Promise<unknown>;
  readonly #pulls = new Set<Promise<void>>();
  readonly #cancels = new Set<() => void>();
  readonly #receivers = new Set<Receiver>();
  readonly #arrived: Arrived[] = [];
  readonly #returning = new Set<Promise<unknown>>();
  #closed = false;

  constructor(calls: PubsubCalls, giveBack: (receipts: readonly string[]) => Promise<unknown>) {
    this.#calls = calls;
    this.#giveBack = giveBack;
  }

  /** What has come, at most so many of one pull; waits for the first. */
  async receive({ messages, waitMs, signal }: Want): Promise<readonly ReceivedMessage[]> {
    if (this.#closed) throw this.#calls.closedError();
    const until = performance.now() + waitMs;
    while (!signal.aborted && !this.#isClosed()) {
      const taken = this.#take(messages);
      if (taken !== undefined) return taken;
      const restMs = until - performance.now();
      if (restMs <= 0) return [];
      if (this.#pulls.size <= this.#receivers.size) this.#pull(messages);
      await this.#arrival(restMs, signal);
    }
    return [];
  }

  #isClosed(): boolean {
    return this.#closed;
  }

  #take(most: number): readonly ReceivedMessage[] | undefined {
    const [first] = this.#arrived;
    if (first === undefined) return undefined;
    const taken = first.messages.slice(0, most);
    first.messages = first.messages.slice(most);
    if (first.messages.length === 0) {
      clearTimeout(first.unclaimed);
      this.#arrived.shift();
    }
    return taken;
  }

  #arrival(restMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', look);
        this.#receivers.delete(receiver);
      };
      const look = (): void => {
        done();
        resolve();
      };
      const fail = (error: Error): void => {
        done();
        reject(error);
      };
      const receiver: Receiver = { look, fail };
      const timer = setTimeout(look, restMs);
      signal.addEventListener('abort', look);
      this.#receivers.add(receiver);
    });
  }

  #pull(messages: number): void {
    const pull = this.#one(messages).finally(() => this.#pulls.delete(pull));
    this.#pulls.add(pull);
  }

  async #one(messages: number): Promise<void> {
    let cancel: Pull['cancel'] | undefined;
    try {
      const pull = await this.#calls.pull(messages, pullMs);
      cancel = pull.cancel;
      this.#cancels.add(cancel);
      // It was only connected while all was to end, and nothing has been asked for yet.
      if (this.#closed) cancel();
      const received = await pull.answer;
      if (received.length > 0) this.#arrive(received);
    } catch (error) {
      const [first] = this.#receivers;
      first?.fail(error as Error);
    } finally {
      if (cancel !== undefined) this.#cancels.delete(cancel);
      // After it is no longer among those that wait at the service.
      queueMicrotask(() => {
        for (const { look } of [...this.#receivers]) look();
      });
    }
  }

  #arrive(messages: readonly ReceivedMessage[]): void {
    if (this.#closed) {
      this.#return(messages);
      return;
    }
    const arrived: Arrived = { messages, unclaimed: setTimeout(() => this.#unclaimed(arrived), unclaimedMs) };
    this.#arrived.push(arrived);
  }

  #unclaimed(arrived: Arrived): void {
    this.#arrived.splice(this.#arrived.indexOf(arrived), 1);
    this.#return(arrived.messages);
  }

  #return(messages: readonly ReceivedMessage[]): void {
    const returning = this.#giveBack(messages.map(({ ackId }) => ackId!)).finally(() =>
      this.#returning.delete(returning),
    );
    this.#returning.add(returning);
  }

  /** Whoever receives gets nothing more; what has come, or comes yet, is given back. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { look } of [...this.#receivers]) look();
    for (const arrived of this.#arrived.splice(0)) {
      clearTimeout(arrived.unclaimed);
      this.#return(arrived.messages);
    }
    const all = Promise.all(this.#pulls);
    const ended = new AbortController();
    await Promise.race([all, sleep(graceMs, undefined, { signal: ended.signal }).catch(() => undefined)]);
    ended.abort();
    for (const cancel of this.#cancels) cancel();
    await all;
    await Promise.all(this.#returning);
  }
}

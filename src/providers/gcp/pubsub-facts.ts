import type { PubsubCalls, Subscription } from './pubsub-calls.js';

/** What the subscription says of itself, as far as this process may know: who may receive may not be let look at it. */
export class Facts {
  readonly #calls: Pick<PubsubCalls, 'findSubscription' | 'settings'>;
  readonly #askEveryMs: number;
  #known: Promise<Subscription | undefined> | undefined;
  #askedAt = -Infinity;

  constructor(calls: Pick<PubsubCalls, 'findSubscription' | 'settings'>, askEveryMs = 60_000) {
    this.#calls = calls;
    this.#askEveryMs = askEveryMs;
  }

  /** Whether a message that is handed out is hidden for just so long by itself. */
  async hidesFor(leaseMs: number): Promise<boolean> {
    return (await this.#subscription())?.ackDeadlineSeconds === Math.ceil(leaseMs / 1_000);
  }

  async deliversExactlyOnce(): Promise<boolean> {
    return (await this.#subscription())?.enableExactlyOnceDelivery ?? this.#calls.settings.exactlyOnce;
  }

  /** Somebody may change it meanwhile. Nobody waits for a later answer than the first: what was known serves until it is there. */
  #subscription(): Promise<Subscription | undefined> {
    const now = performance.now();
    if (now - this.#askedAt > this.#askEveryMs) {
      this.#askedAt = now;
      const asked = this.#calls.findSubscription();
      if (this.#known === undefined) this.#known = asked.catch(() => undefined);
      else
        asked.then(
          () => (this.#known = asked),
          () => undefined,
        );
    }
    return this.#known!;
  }
}

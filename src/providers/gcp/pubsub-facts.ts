import type { PubsubCalls, Subscription } from './pubsub-calls.js';

/** Somebody may change the subscription meanwhile. */
const knownForMs = 60_000;

/** What the subscription says of itself, as far as this process may know: who may receive may not be let look at it. */
export class Facts {
  readonly #calls: PubsubCalls;
  #known: Promise<Subscription | undefined> | undefined;
  #askedAt = -Infinity;

  constructor(calls: PubsubCalls) {
    this.#calls = calls;
  }

  /** Whether a message that is handed out is hidden for just so long by itself. */
  async hidesFor(leaseMs: number): Promise<boolean> {
    return (await this.#subscription())?.ackDeadlineSeconds === Math.ceil(leaseMs / 1_000);
  }

  async deliversExactlyOnce(): Promise<boolean> {
    return (await this.#subscription())?.enableExactlyOnceDelivery ?? this.#calls.settings.exactlyOnce;
  }

  #subscription(): Promise<Subscription | undefined> {
    const now = performance.now();
    if (this.#known === undefined || now - this.#askedAt > knownForMs) {
      this.#askedAt = now;
      this.#known = this.#calls.findSubscription().catch(() => undefined);
    }
    return this.#known;
  }
}

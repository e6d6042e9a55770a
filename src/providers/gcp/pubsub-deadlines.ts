import type { PubsubCalls } from './pubsub-calls.js';

/** Somebody may change the subscription meanwhile. */
const knownForMs = 60_000;

/** For how long the subscription hides what it hands out, as far as this process may know. */
export class Deadlines {
  readonly #calls: PubsubCalls;
  #known: Promise<number | undefined> | undefined;
  #askedAt = -Infinity;

  constructor(calls: PubsubCalls) {
    this.#calls = calls;
  }

  /** Whether a message is hidden for just so long by itself. */
  async are(leaseMs: number): Promise<boolean> {
    const now = performance.now();
    if (this.#known === undefined || now - this.#askedAt > knownForMs) {
      this.#askedAt = now;
      // Who may receive from a subscription may not be let look at it.
      this.#known = this.#calls.findSubscription().then(
        (found) => found?.ackDeadlineSeconds ?? undefined,
        () => undefined,
      );
    }
    return (await this.#known) === Math.ceil(leaseMs / 1_000);
  }
}

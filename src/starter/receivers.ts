/** Asks once, and returns how many messages came; undefined: there was no room to ask, or no answer. */
export type ReceiveOnce = (stop: AbortSignal) => Promise<number | undefined>;

/**
 * Requests for messages that are under way at once: one more whenever one comes back full, one fewer whenever one comes
 * back empty, so that a queue which bills each request is asked often only where that pays.
 */
export class Receivers {
  readonly #full: number;
  readonly #most: number;
  readonly #receiveOnce: ReceiveOnce;
  readonly #running = new Set<Promise<void>>();

  /** `full`: messages of one request at most; `most`: requests. */
  constructor(full: number, most: number, receiveOnce: ReceiveOnce) {
    this.#full = full;
    this.#most = most;
    this.#receiveOnce = receiveOnce;
  }

  get running(): number {
    return this.#running.size;
  }

  /** Until `stop` is aborted and no request is under way any more. */
  async run(stop: AbortSignal): Promise<void> {
    this.#start(stop);
    while (this.#running.size > 0) await Promise.race(this.#running);
  }

  #start(stop: AbortSignal): void {
    const receiver = this.#receive(stop).finally(() => this.#running.delete(receiver));
    this.#running.add(receiver);
  }

  async #receive(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const messages = await this.#receiveOnce(stop);
      if (messages === 0 && this.#running.size > 1) return;
      if (messages === this.#full && this.#running.size < this.#most) this.#start(stop);
    }
  }
}

import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a request brought, as far as it says whether more are to follow at once. */
export type Yield = 'none' | 'few' | 'some' | 'much';

/** Asks once; undefined: there was no room to ask, or no answer. */
export type ReceiveOnce = (stop: AbortSignal) => Promise<Yield | undefined>;

export interface Rhythm {
  /** Requests that are always under way. */
  readonly least: number;
  /** Requests at once. */
  readonly most: number;
  /** After a request that brought few, so that the next brings more, in milliseconds. */
  readonly pauseMs: number;
}

const muchBytes = 512 * 1_024;

/** Of so many messages, at most `full` a request, and so many bytes: large ones come few at a time also from a long queue. */
export function yieldOf(messages: number, bytes: number, full: number): Yield {
  if (messages === 0) return 'none';
  if (messages === full || bytes >= muchBytes) return 'much';
  return messages <= full / 2 && bytes < muchBytes / 4 ? 'few' : 'some';
}

/**
 * Requests for messages that are under way at once: one more whenever one brought much, one fewer whenever one brought
 * nothing or few, so that a queue which bills each request is asked often only where that pays.
 */
export class Receivers {
  readonly #rhythm: Rhythm;
  readonly #receiveOnce: ReceiveOnce;
  readonly #running = new Set<Promise<void>>();

  constructor(rhythm: Rhythm, receiveOnce: ReceiveOnce) {
    this.#rhythm = rhythm;
    this.#receiveOnce = receiveOnce;
  }

  /** Until `stop` is aborted and no request is under way any more. */
  async run(stop: AbortSignal): Promise<void> {
    // Each that pauses, or waits for a queue that does not answer, listens to it.
    setMaxListeners(Infinity, stop);
    while (this.#running.size < this.#rhythm.least) this.#start(stop);
    while (this.#running.size > 0) await Promise.race(this.#running);
  }

  #start(stop: AbortSignal): void {
    const receiver = this.#receive(stop).finally(() => this.#running.delete(receiver));
    this.#running.add(receiver);
  }

  async #receive(stop: AbortSignal): Promise<void> {
    const { least, most, pauseMs } = this.#rhythm;
    while (!stop.aborted) {
      const brought = await this.#receiveOnce(stop);
      const little = brought === 'none' || brought === 'few';
      if (little && this.#running.size > least) return;
      if (brought === 'much' && this.#running.size < most) this.#start(stop);
      if (brought === 'few' && pauseMs > 0) await sleep(pauseMs, undefined, { signal: stop }).catch(() => undefined);
    }
  }
}

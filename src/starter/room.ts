import type { QueueLimits } from '../providers/queue.js';

/** Bytes of bodies held at once, those being received included: about a third to a quarter of what they take in memory. */
const heldBytes = 48_000_000;
/** So much is counted for a request at least, since the next may bring larger messages than the last. */
const leastExpected = 1_000_000;

/** What a poller may still take off its queue. */
export class Room {
  readonly #limits: QueueLimits;
  /** Bytes that one request is counted for while it is under way. */
  #expected: number;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
    this.#expected = limits.receiveBytes;
  }

  /** Whether one more request may be made beside those under way, by what is held: bytes of bodies, and messages. */
  isThere(held: { bytes: number; messages: number }, underWay: number): boolean {
    const { receiveMessages, heldMessages = Infinity } = this.#limits;
    const messages = held.messages + (underWay + 1) * receiveMessages;
    const bytes = held.bytes + underWay * this.#expected;
    return messages <= heldMessages && (bytes === 0 || bytes + this.#expected <= heldBytes);
  }

  /**
   * A queue that hands out few messages a request would never be asked for many at once if each were counted for the
   * most that it can bring: it is counted for twice what the largest of late brought.
   */
  learn(bytes: number): void {
    if (this.#limits.receiveMessages >= manyMessages) return;
    const likely = Math.max(leastExpected, 2 * bytes, this.#expected / 2);
    this.#expected = Math.min(this.#limits.receiveBytes, likely);
  }
}

/** Of a request that is enough on its own: one under way at a time. */
export const manyMessages = 100;

import { field } from './pubsub-message.js';

/** Google: Pub/Sub, "Quotas and limits", resource limits: of one request, whatever it asks for, and of one answer to a pull. */
export const requestLimits = {
  /** A megabyte has a thousand kilobytes there; where that is meant otherwise, there is some more room. */
  publish: { items: 1_000, bytes: 10_000_000 },
  /** Acknowledgements and extensions: 512 KiB. */
  receipts: { items: 1_000, bytes: 512 * 1_024 },
  /**
   * Of an exactly-once subscription, which names those that it does not take in the answer's trailers: Node takes 64 KB of them,
   * and a call that has more is never answered.
   */
  exactReceipts: { items: 100, bytes: 16 * 1_024 },
  pull: { items: 1_000, bytes: 10_000_000 },
} as const;

/** Calls of one kind that are under way together. */
export const callsAtOnce = 16;

/** Of a request without any messages or receipts, at most: the longest name, since the project may not be known yet, and a number. */
export const ownBytes = field(64 + 255 + 'projects//subscriptions/'.length) + field(4);

export interface Limit {
  readonly items: number;
  readonly bytes: number;
}

/** Items in order, in as few requests as hold them; `own`: what a request is without any, in bytes. */
export function inChunks<Item>(
  items: readonly Item[],
  { limit, own, bytesOf }: { limit: Limit; own: number; bytesOf: (item: Item) => number },
): Item[][] {
  const chunks: Item[][] = [];
  let bytes = 0;
  for (const item of items) {
    const size = bytesOf(item);
    const last = chunks.at(-1);
    if (last !== undefined && last.length < limit.items && bytes + size <= limit.bytes) {
      last.push(item);
      bytes += size;
    } else {
      chunks.push([item]);
      bytes = own + size;
    }
  }
  return chunks;
}

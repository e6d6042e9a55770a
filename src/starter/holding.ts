import type { BatchName, PollerActivities } from '../activities/types.js';
import { objectKey } from '../keys.js';
import type { Lake } from '../providers/lake.js';
import type { Delivery } from '../providers/queue.js';
import type { Reference } from '../references.js';
import type { Encoder } from './encoder.js';

/** A closed batch, as long as this process is answerable for its messages. */
export interface HeldBatch extends BatchName {
  readonly events: number;
  /** As envelopes, before compression. */
  readonly bytes: number;
  readonly receipts: readonly string[];
  /** Gone once the object is durable: from then on the lake owns the bytes. */
  deliveries: readonly Delivery[] | undefined;
  reference?: Reference;
  /** Called once, when the bytes are gone. */
  readonly onStored: () => void;
}

/** The batches that this process holds, and the activity that writes them to the lake. */
export class Holding {
  readonly #batches = new Map<string, HeldBatch>();
  readonly #lake: Lake;
  readonly #encoder: Encoder;
  readonly #settings: { pipeline: string; dedupeMs: number };
  /** The last persist failed: what is received now could only pile up. */
  failing = false;

  constructor(lake: Lake, encoder: Encoder, settings: { pipeline: string; dedupeMs: number }) {
    this.#lake = lake;
    this.#encoder = encoder;
    this.#settings = settings;
  }

  add(batch: HeldBatch): void {
    this.#batches.set(batch.batch, batch);
  }

  /** Events of the source that this process holds and the lake has not. */
  eventsOf(source: string): number {
    const held = [...this.#batches.values()].filter(
      (batch) => batch.source === source && batch.deliveries !== undefined,
    );
    return held.reduce((sum, { events }) => sum + events, 0);
  }

  drop(batch: HeldBatch): void {
    this.#batches.delete(batch.batch);
    if (batch.deliveries === undefined) return;
    batch.deliveries = undefined;
    batch.onStored();
  }

  readonly persist: PollerActivities['persist'] = async ({ batch }) => {
    const held = this.#batches.get(batch);
    if (held === undefined) return 'returned';
    if (held.reference !== undefined) return held.reference;
    if (held.deliveries === undefined) return 'returned';
    try {
      const reference = await this.#write(held, held.deliveries);
      this.failing = false;
      return this.#stored(held, reference);
    } catch (error) {
      this.failing = true;
      throw error;
    }
  };

  #stored(held: HeldBatch, reference: Reference): Reference {
    held.reference = reference;
    if (held.deliveries !== undefined) {
      held.deliveries = undefined;
      held.onStored();
    }
    return reference;
  }

  async #write({ source, batch }: HeldBatch, deliveries: readonly Delivery[]): Promise<Reference> {
    const { pipeline, dedupeMs } = this.#settings;
    const { body, sha256, events } = await this.#encoder.encode({
      source,
      batch,
      dedupeMs,
      deliveries: deliveries.map(({ id, body: bytes, attributes, sentAt }) => ({
        id,
        body: bytes,
        attributes,
        sentAt,
      })),
    });
    const key = objectKey({ source, batch, events, hash: sha256.slice(0, 32) });
    await this.#lake.put(key, body);
    return { v: 1, pipeline, lake: this.#lake.uri, key, batch, sha256, events, bytes: body.length };
  }
}

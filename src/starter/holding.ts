import { readNamed } from '../activities/read-object.js';
import type { BatchName, PollerActivities } from '../activities/types.js';
import { LakeCorrupt } from '../errors.js';
import { objectKey } from '../keys.js';
import type { Lake } from '../providers/lake.js';
import type { Delivery } from '../providers/queue.js';
import type { Reference } from '../references.js';
import type { EncodedBatch } from './encode.js';
import type { Encoder } from './encoder.js';

/** A closed batch, as long as this process is answerable for its messages. */
export interface HeldBatch extends BatchName {
  readonly events: number;
  /** As envelopes, before compression. */
  readonly bytes: number;
  readonly receipts: readonly string[];
  /**
   * As received until it is first to be written, then as the object that it becomes. Gone once the object is durable, since
   * the lake owns the bytes then, and where it cannot be made or written: the queue has the messages still.
   */
  content: readonly Delivery[] | Promise<EncodedBatch> | undefined;
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
    const held = [...this.#batches.values()].filter((batch) => batch.source === source && batch.content !== undefined);
    return held.reduce((sum, { events }) => sum + events, 0);
  }

  drop(batch: HeldBatch): void {
    this.#batches.delete(batch.batch);
    this.#letGo(batch);
  }

  readonly persist: PollerActivities['persist'] = async ({ batch }) => {
    const held = this.#batches.get(batch);
    if (held === undefined) return 'returned';
    if (held.reference !== undefined) return held.reference;
    if (held.content === undefined) return 'returned';
    try {
      const reference = await this.#write(held, await this.#encoded(held, held.content));
      this.failing = false;
      held.reference = reference;
      this.#letGo(held);
      return reference;
    } catch (error) {
      // Its place is taken by what is not it, and stays so: the messages come again, as another batch.
      if (error instanceof LakeCorrupt) this.#letGo(held);
      else this.failing = true;
      throw error;
    }
  };

  #letGo(batch: HeldBatch): void {
    if (batch.content === undefined) return;
    batch.content = undefined;
    batch.onStored();
  }

  /** Once: the messages' bytes go to the encoder. What it fails to encode is lost here, and the queue has it still. */
  #encoded(held: HeldBatch, content: NonNullable<HeldBatch['content']>): Promise<EncodedBatch> {
    if (content instanceof Promise) return content;
    const { source, batch } = held;
    const deliveries = content.map(({ id, body, attributes, sentAt }) => ({ id, body, attributes, sentAt }));
    held.content = this.#encoder
      .encode({ source, batch, dedupeMs: this.#settings.dedupeMs, deliveries })
      .catch((error: unknown) => {
        this.#letGo(held);
        throw error;
      });
    return held.content;
  }

  async #write({ source, batch }: HeldBatch, { body, sha256, events }: EncodedBatch): Promise<Reference> {
    const { pipeline } = this.#settings;
    const key = objectKey({ source, batch, events, hash: sha256.slice(0, 32) });
    // An earlier put of ours, as a rule, whose answer was lost.
    if ((await this.#lake.put(key, body)) === 'kept') await readNamed(this.#lake, key, sha256);
    return { v: 1, pipeline, lake: this.#lake.uri, key, batch, sha256, events, bytes: body.length };
  }
}

import type { ObjectToLoad } from '../activities/types.js';
import { parseObjectKey } from '../keys.js';
import type { Delivery } from '../providers/queue.js';
import { decodeReference } from '../references.js';

/** A lake object to load, and the receipts of all that rang for it. */
export interface Rung {
  readonly object: ObjectToLoad;
  readonly bytes: number;
  readonly receipts: string[];
}

export type Doorbell =
  | { readonly kind: 'object'; readonly object: ObjectToLoad; readonly bytes: number }
  /** Acknowledged and counted: reconcile finds what it meant. */
  | { readonly kind: 'unreadable' }
  /** Of another pipeline or lake, whose poller should have it. */
  | { readonly kind: 'stray'; readonly pipeline: string; readonly lake: string };

export function readDoorbell({ body }: Delivery, ours: { pipeline: string; lake: string }): Doorbell {
  const reference = decodeReference(body);
  if (reference === undefined) return { kind: 'unreadable' };
  if (reference.pipeline !== ours.pipeline || reference.lake !== ours.lake) {
    return { kind: 'stray', pipeline: reference.pipeline, lake: reference.lake };
  }
  const { key, batch, events, sha256, bytes } = reference;
  // A reference that was decoded names a key of ours.
  const { source } = parseObjectKey(key)!;
  return { kind: 'object', object: { key, source, batch, events, sha256 }, bytes };
}

/** What one load may hold: DuckDB and the columnar warehouses want few and large ones, histories small inputs. */
const loadLimits = { objects: 100, events: 50_000, bytes: 16_000_000 } as const;

/** The doorbells that wait for a load, each object once. */
export class WaitingDoorbells {
  readonly #rung = new Map<string, Rung>();
  readonly #maxObjects: number;
  /** Fewer after a load that failed. */
  #most: number;

  constructor(maxObjects: number) {
    this.#maxObjects = Math.min(maxObjects, loadLimits.objects);
    this.#most = this.#maxObjects;
  }

  get size(): number {
    return this.#rung.size;
  }

  add(object: ObjectToLoad, bytes: number, receipt: string): void {
    const known = this.#rung.get(object.key);
    if (known === undefined) this.#rung.set(object.key, { object, bytes, receipts: [receipt] });
    else known.receipts.push(receipt);
  }

  /**
   * How a load of so many objects ended. One that failed may have been too large for the time it has, and would be for
   * ever: the next are half as large, until loads go well.
   */
  learn(objects: number, end: 'well' | 'failed'): void {
    if (end === 'failed') this.#most = Math.max(1, Math.min(this.#most, Math.floor(objects / 2)));
    else this.#most = Math.min(this.#maxObjects, Math.max(this.#most, 2 * objects));
  }

  /** Whether a whole load waits. */
  get full(): boolean {
    let events = 0;
    let bytes = 0;
    for (const rung of this.#rung.values()) {
      events += rung.object.events;
      bytes += rung.bytes;
    }
    return this.size >= this.#most || events >= loadLimits.events || bytes >= loadLimits.bytes;
  }

  /** Takes out one load's worth, the oldest first. */
  take(): Rung[] {
    const taken: Rung[] = [];
    let events = 0;
    let bytes = 0;
    for (const [key, rung] of this.#rung) {
      events += rung.object.events;
      bytes += rung.bytes;
      const over = events > loadLimits.events || bytes > loadLimits.bytes;
      if (taken.length > 0 && (over || taken.length >= this.#most)) break;
      taken.push(rung);
      this.#rung.delete(key);
    }
    return taken;
  }
}

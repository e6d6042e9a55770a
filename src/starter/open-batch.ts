import { measure } from '../packing.js';
import type { Delivery } from '../providers/queue.js';

/** A batch closes at either; a packed message is never split, and one larger than a limit makes a batch alone. */
const batchLimits = { bytes: 16_000_000, events: 20_000 } as const;

/** The batch that messages are being gathered into. */
export class OpenBatch {
  readonly deliveries: Delivery[] = [];
  readonly openedAt = performance.now();
  events = 0;
  /** As envelopes. */
  bytes = 0;
  /** As received: what it takes of the process's memory. */
  held = 0;
  /** Packed messages that could not be read, each stored as one event. */
  broken = 0;

  /** false: it has no room for this one, close it first. */
  add(delivery: Delivery): boolean {
    const contents = measure(delivery);
    const full = this.bytes + contents.bytes > batchLimits.bytes || this.events + contents.events > batchLimits.events;
    if (full && this.deliveries.length > 0) return false;
    this.deliveries.push(delivery);
    this.events += contents.events;
    this.bytes += contents.bytes;
    this.held += delivery.body.length;
    if (contents.broken === true) this.broken++;
    return true;
  }

  get full(): boolean {
    return this.bytes >= batchLimits.bytes || this.events >= batchLimits.events;
  }
}

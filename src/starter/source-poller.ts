import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

import { aborted } from '../signals.js';
import { newId } from '../ids.js';
import { logged, type Logger } from '../log.js';
import type { Delivery, Queue } from '../providers/queue.js';
import type { HeldBatch, Holding } from './holding.js';
import { Leases } from './leases.js';
import { OpenBatch } from './open-batch.js';
import { Receivers, yieldOf, type Yield } from './receivers.js';
import { manyMessages, Room } from './room.js';

/** Runs `ingestBatch` once for a held batch, to its end. Throws where Temporal does not answer or the run fails. */
export type IngestRun = (batch: HeldBatch) => Promise<'stored' | 'returned'>;

export interface SourcePollerOptions {
  readonly source: string;
  readonly queue: Queue;
  readonly holding: Holding;
  readonly ingest: IngestRun;
  readonly leaseMs: number;
  /** As long as a batch gathers, in milliseconds, counted from the close of the one before it. */
  readonly lingerMs: number;
  readonly log: Logger;
}

/** Batches in flight: fewer starve, since one takes a quarter of a second on busy cores. */
const mostInFlight = 4;
/** Of a queue that hands out few messages a request: at 15 ms a request of ten, some 10,000 messages a second. */
const mostReceivers = 16;
const waitMs = 10_000;
/** A tenth of what a batch gathers for; a poller that is to end waits for it. */
const longestPauseMs = 1_000;
/** Messages of a batch that was lost on its way to the lake come again after this. */
const lostBackMs = 5_000;
/** Each may be packed with hundreds of events: to measure them all at once would hold up leases and acknowledgements. */
const messagesATurn = 32;
/** In lingers. */
const longestGrowth = 20;

/** Takes messages off one source, gathers them into batches and acknowledges them when they are stored. */
export class SourcePoller {
  readonly #options: SourcePollerOptions;
  readonly #leases: Leases;
  readonly #log: Logger;
  readonly #running = new Set<Promise<void>>();
  readonly #closed: OpenBatch[] = [];
  readonly #room: Room;
  #open = new OpenBatch();
  #held = 0;
  #receiving = 0;
  #lingering: NodeJS.Timeout | undefined;
  #wake: () => void = () => undefined;
  #stopping = false;

  constructor(options: SourcePollerOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#leases = new Leases(options.queue, options.leaseMs, options.log);
    this.#room = new Room(options.queue.limits);
  }

  /** What this process has of its source and the lake has not: events, and bytes of bodies. */
  get held(): { source: string; events: number; bytes: number } {
    const { source, holding } = this.#options;
    const unstarted = [this.#open, ...this.#closed].reduce((sum, { events }) => sum + events, 0);
    return { source, events: unstarted + holding.eventsOf(source), bytes: this.#held };
  }

  /** Messages that this poller has and is not done with. */
  get leased(): number {
    return this.#leases.held;
  }

  /** Messages that this poller is done with. */
  get acknowledged(): number {
    return this.#leases.acknowledged;
  }

  /** Until `stop` is aborted, then until all is stored or `giveUp` is aborted; what is left then goes back to the queue. */
  async run(stop: AbortSignal, giveUp: AbortSignal): Promise<void> {
    const { receiveMessages, receives = 1 } = this.#options.queue.limits;
    const rhythm =
      receiveMessages >= manyMessages
        ? { most: receives, pauseMs: 0 }
        : { most: mostReceivers, pauseMs: Math.min(longestPauseMs, this.#options.lingerMs / 10) };
    await new Receivers({ least: receives, ...rhythm }, (signal) => this.#receive(signal)).run(stop);
    this.#stopping = true;
    this.#flow();
    const givenUp = aborted(giveUp);
    while (this.#running.size > 0 && !giveUp.aborted) {
      await Promise.race([...this.#running, givenUp]);
      this.#flow();
    }
    await this.#leases.stop();
  }

  async #receive(stop: AbortSignal): Promise<Yield | undefined> {
    if (!this.#hasRoom()) {
      await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), sleep(200)]);
      return undefined;
    }
    this.#receiving++;
    try {
      return await this.#receiveOnce(stop);
    } catch (error) {
      this.#log.warn({ source: this.#options.source, ...logged(error) }, 'the source does not answer; tried again');
      await sleep(1_000, undefined, { signal: stop }).catch(() => undefined);
      return undefined;
    } finally {
      this.#receiving--;
    }
  }

  /** On its own, since a loop's variables would keep the last messages alive until the next ones come. */
  async #receiveOnce(signal: AbortSignal): Promise<Yield> {
    const { queue } = this.#options;
    const { receiveMessages: messages } = queue.limits;
    const deliveries = await queue.receive({ messages, waitMs, leaseMs: this.#leases.leaseMs, signal });
    this.#leases.hold(deliveries.map(({ receipt }) => receipt));
    const bytes = deliveries.reduce((sum, { body }) => sum + body.length, 0);
    this.#room.learn(bytes);
    for (const [index, delivery] of deliveries.entries()) {
      this.#add(delivery);
      if (index % messagesATurn === messagesATurn - 1) await nextTurn();
    }
    this.#flow();
    return yieldOf(deliveries.length, bytes, messages);
  }

  #hasRoom(): boolean {
    if (this.#options.holding.failing && this.#running.size > 0) return false;
    if (this.#closed.length > 0) return false;
    return this.#room.isThere({ bytes: this.#held, messages: this.#leases.held }, this.#receiving);
  }

  #add(delivery: Delivery): void {
    this.#held += delivery.body.length;
    if (this.#open.add(delivery)) return;
    this.#close();
    this.#open.add(delivery);
  }

  #close(): void {
    this.#closed.push(this.#open);
    this.#open = new OpenBatch();
  }

  /** Starts what can be started; called whenever something changed. */
  #flow(): void {
    const { deliveries, full } = this.#open;
    if (deliveries.length > 0 && (full || this.#running.size < mostInFlight || this.#stopping)) {
      const rest = this.#restMs();
      clearTimeout(this.#lingering);
      if (full || rest <= 0 || this.#stopping) this.#close();
      else this.#lingering = setTimeout(() => this.#flow(), rest);
    }
    while (this.#closed.length > 0 && (this.#running.size < mostInFlight || this.#stopping)) {
      const run = this.#ingest(this.#hold(this.#closed.shift()!)).finally(() => {
        this.#running.delete(run);
        this.#flow();
      });
      this.#running.add(run);
    }
    this.#wake();
  }

  /** How long the open batch still gathers, in milliseconds; it opened when the one before it closed. */
  #restMs(): number {
    const { lingerMs } = this.#options;
    const openMs = performance.now() - this.#open.openedAt;
    // Where there is no room for one more request, the batch grows once one that runs has made some. A pause between two
    // requests is none. Not for ever: one that hangs must not hold up the others.
    const full = this.#receiving === 0 && !this.#hasRoom();
    const grows = this.#running.size > 0 && full && openMs < longestGrowth * lingerMs;
    return grows ? lingerMs : lingerMs - openMs;
  }

  /** Nothing but the batch may refer to its bytes from here on: they are to be gone once they are stored. */
  #hold({ deliveries, events, bytes, held, broken }: OpenBatch): HeldBatch {
    const { holding, source } = this.#options;
    if (broken > 0) this.#log.warn({ source, broken }, 'packed messages that cannot be read: stored as they came');
    const receipts = deliveries.map(({ receipt }) => receipt);
    const onStored = (): void => {
      this.#held -= held;
      this.#flow();
    };
    const batch: HeldBatch = { source, batch: newId(), events, bytes, receipts, content: deliveries, onStored };
    holding.add(batch);
    return batch;
  }

  async #ingest(batch: HeldBatch): Promise<void> {
    if (await this.#untilStored(batch)) await this.#leases.acknowledge(batch.receipts);
    else await this.#giveBack(batch);
    this.#options.holding.drop(batch);
  }

  async #giveBack({ source, batch, content, receipts }: HeldBatch): Promise<void> {
    // Its bytes are gone and the lake has them not: what ends the encoder once may do so again, and at once it would for ever.
    const lost = content === undefined;
    if (lost) this.#log.warn({ source, batch }, 'a batch could not be stored; its messages come again');
    await this.#leases.giveBack(receipts, lost ? lostBackMs : 0);
  }

  /** The same workflow id again after any end but `stored`, as long as there is something to store. */
  async #untilStored(batch: HeldBatch): Promise<boolean> {
    for (let attempt = 0; ; attempt++) {
      try {
        if ((await this.#options.ingest(batch)) === 'stored') return true;
        if (batch.content === undefined || !this.#leases.holds(batch.receipts)) return false;
      } catch (error) {
        if (attempt % 10 === 0) {
          this.#log.warn(
            { source: batch.source, batch: batch.batch, ...logged(error) },
            'an ingest did not end well; started again',
          );
        }
        const isLost = batch.content === undefined && batch.reference === undefined;
        if (isLost || !this.#leases.holds(batch.receipts)) return false;
      }
      await sleep(Math.min(250 * 2 ** attempt, 5_000), undefined, { ref: false });
    }
  }
}

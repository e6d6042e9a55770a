import { setTimeout as sleep } from 'node:timers/promises';

import type { ObjectToLoad } from '../activities/types.js';
import { logged, type Logger } from '../log.js';
import type { Delivery, Queue } from '../providers/queue.js';
import { aborted } from '../signals.js';
import { readDoorbell, WaitingDoorbells, type Rung } from './doorbells.js';
import { Leases } from './leases.js';
import { Receivers, yieldOf, type Yield } from './receivers.js';
import { manyMessages } from './room.js';

/** Runs `loadBatch` over the objects, to its end. Throws where it did not come to every table. */
export type LoadRun = (objects: readonly ObjectToLoad[]) => Promise<unknown>;

export interface LoadPollerOptions {
  readonly pipeline: string;
  /** The lake's uri. */
  readonly lake: string;
  readonly queue: Queue;
  readonly load: LoadRun;
  readonly leaseMs: number;
  /** From one load's start to the next one's, unless a whole load waits, in milliseconds. */
  readonly cadenceMs: number;
  readonly maxObjects: number;
  readonly log: Logger;
}

/** Of a queue that hands out few messages a request. */
const mostReceivers = 4;
const mostLoads = 2;
/** A load that takes longer is waiting for one of its tables: those behind it must not wait for that too. */
const slowMs = 60_000;
/** All in all, slow ones included. */
const mostUnderWay = 10;
const mostWaiting = 300;
const waitMs = 10_000;
/** Doorbells of a load that failed ring again after this. */
const givenBackMs = 2_000;
/** So often a stray's lease is left to lapse before it is acknowledged. */
const strayDeliveries = 5;
/** So many strays are counted at once, on a queue that does not count deliveries itself. */
const mostStrays = 10_000;

/** Takes references off the secondary queue and has their objects loaded, many at a time (group commit). */
export class LoadPoller {
  readonly #options: LoadPollerOptions;
  readonly #leases: Leases;
  /** Of one request. */
  readonly #messages: number;
  readonly #waiting: WaitingDoorbells;
  /** With the time when each started. */
  readonly #running = new Map<Promise<void>, number>();
  readonly #strays = new Map<string, number>();
  #startedAt = -Infinity;
  #due: NodeJS.Timeout | undefined;
  #wake: () => void = () => undefined;
  #stopping = false;

  constructor(options: LoadPollerOptions) {
    this.#options = options;
    this.#leases = new Leases(options.queue, options.leaseMs, options.log);
    this.#messages = Math.min(options.queue.limits.receiveMessages, manyMessages);
    this.#waiting = new WaitingDoorbells(options.maxObjects);
  }

  /** Messages that this poller has and is not done with. */
  get leased(): number {
    return this.#leases.held;
  }

  /** Messages that this poller is done with. */
  get acknowledged(): number {
    return this.#leases.acknowledged;
  }

  /** Until `stop` is aborted, then until the loads under way ended or `giveUp` is aborted; the rest goes back to the queue. */
  async run(stop: AbortSignal, giveUp: AbortSignal): Promise<void> {
    stop.addEventListener('abort', () => (this.#stopping = true));
    const { receiveMessages, receives = 1 } = this.#options.queue.limits;
    const least = Math.min(receives, mostReceivers);
    const most = receiveMessages >= manyMessages ? least : mostReceivers;
    await new Receivers({ least, most, pauseMs: 0 }, (signal) => this.#receive(signal)).run(stop);
    this.#stopping = true;
    clearTimeout(this.#due);
    const givenUp = aborted(giveUp);
    while (this.#running.size > 0 && !giveUp.aborted) await Promise.race([...this.#running.keys(), givenUp]);
    await this.#leases.stop();
  }

  async #receive(stop: AbortSignal): Promise<Yield | undefined> {
    const { queue, log } = this.#options;
    if (this.#waiting.size >= mostWaiting) {
      await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), sleep(200)]);
      return undefined;
    }
    try {
      const want = { messages: this.#messages, waitMs, leaseMs: this.#leases.leaseMs, signal: stop };
      const deliveries = await queue.receive(want);
      const done = this.#take(deliveries);
      this.#flow();
      await this.#leases.acknowledge(done);
      return yieldOf(deliveries.length, 0, this.#messages);
    } catch (error) {
      log.warn(logged(error), 'the secondary queue does not answer; tried again');
      await sleep(1_000, undefined, { signal: stop }).catch(() => undefined);
      return undefined;
    }
  }

  /** Returns the receipts of those that are not to be loaded. */
  #take(deliveries: readonly Delivery[]): string[] {
    const done: string[] = [];
    for (const delivery of deliveries) {
      const doorbell = readDoorbell(delivery, this.#options);
      if (doorbell.kind === 'object') {
        this.#leases.hold([delivery.receipt]);
        this.#waiting.add(doorbell.object, doorbell.bytes, delivery.receipt);
      } else if (doorbell.kind === 'unreadable' || this.#lapsed(delivery)) {
        this.#options.log.warn(
          { ...doorbell, message: delivery.id },
          'a doorbell that is not ours to load: acknowledged',
        );
        done.push(delivery.receipt);
      }
    }
    return done;
  }

  #lapsed({ id, deliveries }: Delivery): boolean {
    if (deliveries !== undefined) return deliveries > strayDeliveries;
    const times = (this.#strays.get(id) ?? 0) + 1;
    this.#strays.delete(id);
    if (times > strayDeliveries) return true;
    this.#strays.set(id, times);
    if (this.#strays.size > mostStrays) this.#strays.delete(this.#strays.keys().next().value!);
    return false;
  }

  /** Starts what can be started; called whenever something changed. */
  #flow(): void {
    while (this.#waiting.size > 0 && !this.#stopping) {
      const rest = this.#restMs();
      if (rest > 0) {
        clearTimeout(this.#due);
        if (rest < Infinity) this.#due = setTimeout(() => this.#flow(), rest);
        break;
      }
      this.#startedAt = performance.now();
      const run = this.#load(this.#waiting.take()).finally(() => {
        this.#running.delete(run);
        this.#flow();
      });
      this.#running.set(run, this.#startedAt);
    }
    this.#wake();
  }

  /** How long until the next load may start, in milliseconds; Infinity: until one ends. */
  #restMs(): number {
    const { full } = this.#waiting;
    if (this.#running.size >= mostUnderWay) return Infinity;
    const now = performance.now();
    const most = full ? mostLoads : 1;
    // The starts are in order: the load that has to end or to become slow before there is room.
    const blocking = [...this.#running.values()].filter((since) => now - since < slowMs).at(-most);
    const room = blocking === undefined ? 0 : blocking + slowMs - now;
    return Math.max(room, full ? 0 : this.#startedAt + this.#options.cadenceMs - now);
  }

  async #load(rung: readonly Rung[]): Promise<void> {
    const receipts = rung.flatMap((one) => one.receipts);
    try {
      await this.#options.load(rung.map(({ object }) => object));
    } catch (error) {
      const failed = { objects: rung.length, ...logged(error) };
      this.#options.log.warn(failed, 'a load did not end well; its doorbells ring again');
      this.#waiting.learn(rung.length, 'failed');
      return this.#leases.giveBack(receipts, givenBackMs);
    }
    this.#waiting.learn(rung.length, 'well');
    return this.#leases.acknowledge(receipts);
  }
}

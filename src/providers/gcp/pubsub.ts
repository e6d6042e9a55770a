import { checkOptions } from '../options.js';
import type { Place, Provider } from '../provider.js';
import type { Provisioned } from '../provision.js';
import type { Backlog, Delivery, Finding, Message, Needs, Outcome, Queue, QueueLimits } from '../queue.js';
import { backlogOf } from './pubsub-backlog.js';
import { PubsubCalls } from './pubsub-calls.js';
import { checkPubsub } from './pubsub-check.js';
import { ownBytes, requestLimits } from './pubsub-chunks.js';
import { Facts } from './pubsub-facts.js';
import { sizeOf, toDelivery } from './pubsub-message.js';
import { addressesOf, pubsubSchema, type PubsubOptions, type PubsubSettings } from './pubsub-options.js';
import { provisionPubsub } from './pubsub-provision.js';
import { Pulls } from './pubsub-pulls.js';
import { Sends } from './pubsub-sends.js';
import { Settling } from './pubsub-settling.js';

/**
 * A queue that is a topic of Google Cloud Pub/Sub with a subscription of its own. Credentials are application default ones alone.
 *
 * Attributes that Pub/Sub cannot carry are sent in an encoding of ours, and what others' producers send is taken as it is.
 *
 * @example
 * ```ts
 * pubsub({ topic: 'app-events', subscription: 'app-events-catchment' })
 * ```
 */
export function pubsub(options: PubsubOptions): Provider<Queue> {
  const checked = checkOptions(pubsubSchema, options);
  return {
    name: 'pubsub',
    kind: 'queue',
    problems: checked.problems,
    addresses: checked.data === undefined ? {} : addressesOf(checked.data),
    open: (place) => new PubsubQueue(checked.of(place), place),
  };
}

/** Google: Pub/Sub, `ModifyAckDeadline`: the most that a lease can be; it may be extended for ever. */
const longestLeaseMs = 600_000;
/** Google: Pub/Sub, "Pull subscriptions": an answer with few messages, or none, does not mean that no more wait; several pulls are to. */
const receives = 4;

type Kind = 'source' | 'secondary' | 'dead letters';

const kindOf = ({ part }: Place): Kind => (part === 'secondary' ? part : 'source');

class PubsubQueue implements Queue {
  readonly limits: QueueLimits = {
    messageBytes: requestLimits.publish.bytes,
    receiveMessages: requestLimits.pull.items,
    receiveBytes: requestLimits.pull.bytes,
    leaseMs: longestLeaseMs,
    receives,
  };
  readonly calls: PubsubCalls;
  readonly #kind: Kind;
  readonly #facts: Facts;
  readonly #dead: PubsubQueue | undefined;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #sends: Sends;
  readonly #settling: Settling;
  readonly #pulls: Pulls;

  constructor(settings: PubsubSettings, place: Place, kind: Kind = kindOf(place)) {
    const { deadLetters, ...others } = settings;
    const owner = `${place.pipeline}: ${place.part}${kind === 'dead letters' ? ', its dead letters' : ''}`;
    const calls = new PubsubCalls(settings, owner);
    this.calls = calls;
    this.#kind = kind;
    this.#facts = new Facts(calls);
    this.#sends = new Sends(calls);
    this.#settling = new Settling(calls, this.#facts);
    this.#pulls = new Pulls(calls, (receipts) => this.extend(receipts, 0));
    if (deadLetters !== undefined) this.#dead = new PubsubQueue({ ...others, ...deadLetters }, place, 'dead letters');
  }

  get deadLetters(): Queue | undefined {
    return this.#dead;
  }

  sizeOf(message: Message): number {
    return ownBytes + sizeOf(message);
  }

  receive(want: { messages: number; waitMs: number; leaseMs: number; signal: AbortSignal }): Promise<Delivery[]> {
    return this.#track(this.#receive(want));
  }

  async #receive(want: {
    messages: number;
    waitMs: number;
    leaseMs: number;
    signal: AbortSignal;
  }): Promise<Delivery[]> {
    const messages = Math.min(want.messages, requestLimits.pull.items);
    const received = await this.#pulls.receive({ ...want, messages, waitMs: Math.max(want.waitMs, leastWaitMs) });
    return received.length === 0
      ? []
      : this.#lease(
          received.map((message) => toDelivery(message, this.#kind === 'dead letters')),
          want.leaseMs,
        );
  }

  /** A pull cannot say for how long, so that what is not as the subscription has it is another call. */
  async #lease(deliveries: Delivery[], leaseMs: number): Promise<Delivery[]> {
    if (!(await this.#facts.hidesFor(leaseMs))) {
      // Where that fails, the lease is the subscription's: messages may come again sooner, and nothing is lost.
      await this.extend(
        deliveries.map(({ receipt }) => receipt),
        leaseMs,
      );
    }
    return deliveries;
  }

  send(messages: readonly Message[]): Promise<Outcome[]> {
    return this.#track(this.#sends.send(messages));
  }

  acknowledge(receipts: readonly string[]): Promise<Outcome[]> {
    return this.#track(this.#settling.acknowledge(receipts));
  }

  extend(receipts: readonly string[], leaseMs: number): Promise<Outcome[]> {
    const seconds = Math.ceil(Math.min(leaseMs, longestLeaseMs) / 1_000);
    return this.#track(this.#settling.extend(receipts, seconds));
  }

  async #track<Result>(call: Promise<Result>): Promise<Result> {
    const ended = call.catch(() => undefined);
    this.#underWay.add(ended);
    try {
      return await call;
    } finally {
      this.#underWay.delete(ended);
    }
  }

  backlog(): Promise<Backlog> {
    return backlogOf(this.calls);
  }

  check(needs: Needs): Promise<readonly Finding[]> {
    return checkPubsub(this.calls, this.#dead?.calls, needs, this.#kind === 'secondary');
  }

  provision(how: 'plan' | 'apply', needs: Needs): Promise<readonly Provisioned[]> {
    return provisionPubsub(this.calls, this.#dead?.calls, how, needs);
  }

  async close(): Promise<void> {
    await this.#pulls.close();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    await Promise.all([this.calls.close(), this.#dead?.close()]);
  }
}

/** An answer takes as long to come. */
const leastWaitMs = 500;

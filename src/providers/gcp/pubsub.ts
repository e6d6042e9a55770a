import pLimit, { type LimitFunction } from 'p-limit';

import { CatchmentError, Unavailable } from '../../errors.js';
import { checkOptions } from '../options.js';
import type { Provider } from '../provider.js';
import type { Provisioned } from '../provision.js';
import type { Delivery, Finding, Message, Needs, Outcome, Queue, QueueLimits } from '../queue.js';
import { backlogOf } from './pubsub-backlog.js';
import { PubsubCalls } from './pubsub-calls.js';
import { checkPubsub } from './pubsub-check.js';
import { inChunks, requestLimits } from './pubsub-chunks.js';
import { Deadlines } from './pubsub-deadlines.js';
import { field, sizeOf, toDelivery, toPubsub, type PubsubContent } from './pubsub-message.js';
import { addressesOf, pubsubSchema, type PubsubOptions } from './pubsub-options.js';
import { ofNamedReceipts } from './pubsub-outcomes.js';
import { provisionPubsub } from './pubsub-provision.js';
import { Pulls } from './pubsub-pulls.js';
import { sdkError } from './sdk.js';

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
    problems: checked.problems,
    addresses: checked.data === undefined ? {} : addressesOf(checked.data),
    open: (place) => new PubsubQueue(new PubsubCalls(checked.of(place)), place.part === 'secondary'),
  };
}

/** Google: Pub/Sub, `ModifyAckDeadline`: the most that a lease can be; it may be extended for ever. */
const longestLeaseMs = 600_000;
/** Google: Pub/Sub, "Pull subscriptions": an answer with few messages, or none, does not mean that no more wait; several pulls are to. */
const receives = 8;
/** Calls of one kind: extensions are never in the way of acknowledgements. */
const callsAtOnce = 16;

class PubsubQueue implements Queue {
  readonly limits: QueueLimits = {
    messageBytes: requestLimits.publish.bytes,
    receiveMessages: requestLimits.pull.items,
    receiveBytes: requestLimits.pull.bytes,
    leaseMs: longestLeaseMs,
    receives,
  };
  readonly calls: PubsubCalls;
  readonly #mustSend: boolean;
  readonly #deadlines: Deadlines;
  readonly #dead: PubsubQueue | undefined;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #atOnce = { send: pLimit(callsAtOnce), acknowledge: pLimit(callsAtOnce), extend: pLimit(callsAtOnce) };
  readonly #pulls: Pulls;

  /** `mustSend`: the pipeline itself sends there. */
  constructor(calls: PubsubCalls, mustSend = false) {
    this.calls = calls;
    this.#mustSend = mustSend;
    this.#deadlines = new Deadlines(calls);
    this.#pulls = new Pulls(calls, (receipts) => this.extend(receipts, 0));
    const { deadLetters, ...others } = calls.settings;
    if (deadLetters !== undefined) this.#dead = new PubsubQueue(new PubsubCalls({ ...others, ...deadLetters }));
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
    return received.length === 0 ? [] : this.#lease(received.map(toDelivery), want.leaseMs);
  }

  /** A pull cannot say for how long, so that what is not as the subscription has it is another call. */
  async #lease(deliveries: Delivery[], leaseMs: number): Promise<Delivery[]> {
    if (!(await this.#deadlines.are(leaseMs))) {
      // Where that fails, the lease is the subscription's: messages may come again sooner, and nothing is lost.
      await this.extend(
        deliveries.map(({ receipt }) => receipt),
        leaseMs,
      );
    }
    return deliveries;
  }

  async send(messages: readonly Message[]): Promise<Outcome[]> {
    return this.#track(this.#send(messages));
  }

  async #send(messages: readonly Message[]): Promise<Outcome[]> {
    const outcomes = new Array<Outcome>(messages.length);
    const fitting: Sending[] = [];
    for (const [index, message] of messages.entries()) {
      const bytes = sizeOf(message);
      if (ownBytes + bytes <= requestLimits.publish.bytes) fitting.push({ index, content: toPubsub(message), bytes });
      else outcomes[index] = tooLarge(ownBytes + bytes, this.calls.topic);
    }
    const chunks = inChunks(fitting, { limit: requestLimits.publish, own: ownBytes, bytesOf: ({ bytes }) => bytes });
    // Of one group, none goes out before the one ahead of it is there.
    const ordered = fitting.some(({ content }) => content.orderingKey !== undefined);
    const late = new Set<string>();
    const publish = async (chunk: readonly Sending[]): Promise<void> => {
      const due = chunk.filter(({ content }) => !late.has(content.orderingKey ?? ''));
      for (const { index } of chunk) outcomes[index] = behind;
      const sent = await this.#publish(due.map(({ content }) => content));
      for (const [place, { index, content }] of due.entries()) {
        outcomes[index] = sent[place]!;
        if (sent[place]!.status !== 'done' && content.orderingKey !== undefined) late.add(content.orderingKey);
      }
    };
    if (ordered) for (const chunk of chunks) await this.#atOnce.send(publish, chunk);
    else await Promise.all(chunks.map((chunk) => this.#atOnce.send(publish, chunk)));
    return outcomes;
  }

  /** A request is taken as a whole: where the service refuses it, each half is asked for alone, to find whom it means. */
  async #publish(contents: readonly PubsubContent[]): Promise<Outcome[]> {
    if (contents.length === 0) return [];
    try {
      await this.calls.publish(contents);
      return contents.map(() => done);
    } catch (error) {
      // INVALID_ARGUMENT.
      if (sdkError(error).grpc !== 3) {
        const failed = this.calls.failure(error, `sending to ${this.calls.topic}`, 'pubsub.topics.publish');
        return contents.map(() => ofFailure(failed));
      }
    }
    if (contents.length === 1) return [refused(this.calls.topic)];
    const half = Math.ceil(contents.length / 2);
    return [...(await this.#publish(contents.slice(0, half))), ...(await this.#publish(contents.slice(half)))];
  }

  acknowledge(receipts: readonly string[]): Promise<Outcome[]> {
    return this.#settle(this.#atOnce.acknowledge, receipts, 'acknowledging on', (ids) => this.calls.acknowledge(ids));
  }

  extend(receipts: readonly string[], leaseMs: number): Promise<Outcome[]> {
    const seconds = Math.ceil(Math.min(leaseMs, longestLeaseMs) / 1_000);
    return this.#settle(this.#atOnce.extend, receipts, 'extending leases on', (ids) => this.calls.extend(ids, seconds));
  }

  #settle(
    limit: LimitFunction,
    receipts: readonly string[],
    doing: string,
    call: (receipts: readonly string[]) => Promise<void>,
  ): Promise<Outcome[]> {
    const bytesOf = (receipt: string): number => field(Buffer.byteLength(receipt));
    const chunks = inChunks(receipts, { limit: requestLimits.receipts, own: ownBytes, bytesOf });
    const settled = chunks.map((chunk) =>
      limit(async () => {
        try {
          await call(chunk);
          return chunk.map(() => done);
        } catch (error) {
          const named = ofNamedReceipts(error, chunk);
          if (named !== undefined) return named;
          const { subscription } = this.calls;
          const failed = this.calls.failure(error, `${doing} ${subscription}`, 'pubsub.subscriptions.consume');
          return chunk.map(() => ofFailure(failed));
        }
      }),
    );
    return this.#track(Promise.all(settled).then((outcomes) => outcomes.flat()));
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

  backlog(): ReturnType<Queue['backlog']> {
    return backlogOf(this.calls);
  }

  check(needs: Needs): Promise<readonly Finding[]> {
    return checkPubsub(this.calls, this.#dead?.calls, needs, this.#mustSend);
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

interface Sending {
  readonly index: number;
  readonly content: PubsubContent;
  readonly bytes: number;
}

/** Of a request without any messages or receipts, at most: the longest name, since the project may not be known yet, and a number. */
const ownBytes = field(64 + 255 + 'projects//subscriptions/'.length) + field(4);
/** An answer takes as long to come. */
const leastWaitMs = 500;

const done: Outcome = { status: 'done' };
const behind: Outcome = {
  status: 'failed',
  error: new Unavailable('not sent, since a message of the same group that was to be ahead of it was not'),
  retry: true,
};

function ofFailure(error: CatchmentError): Outcome {
  return { status: 'failed', error, retry: error instanceof Unavailable };
}

function tooLarge(bytes: number, topic: string): Outcome {
  const error = new CatchmentError(
    `A message of ${bytes} bytes, as Pub/Sub counts it, is too large for the topic ${topic}: Pub/Sub takes ${requestLimits.publish.bytes}. ` +
      'Split it, or send a reference to what it holds.',
    { path: topic },
  );
  return { status: 'failed', error, retry: false };
}

function refused(topic: string): Outcome {
  const error = new CatchmentError(
    `Pub/Sub refuses the message as the topic ${topic} is set up (INVALID_ARGUMENT): a schema of the topic may not take it, or its group is longer than 1,024 bytes.`,
    { path: topic },
  );
  return { status: 'failed', error, retry: false };
}

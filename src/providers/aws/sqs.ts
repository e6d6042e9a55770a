import { randomUUID } from 'node:crypto';

import type { SendMessageBatchRequestEntry } from '@aws-sdk/client-sqs';
import pLimit, { type LimitFunction } from 'p-limit';

import { Unavailable } from '../../errors.js';
import { checkOptions } from '../options.js';
import type { Provider } from '../provider.js';
import type { Provisioned } from '../provision.js';
import type { Delivery, Finding, Message, Needs, Outcome, Queue, QueueLimits } from '../queue.js';
import { batchLimits, inBatches, ofFailedMessage, ofFailedReceipt, outcomesOf, tooLarge } from './sqs-batches.js';
import { SqsCalls } from './sqs-calls.js';
import { checkSqs } from './sqs-check.js';
import { sizeOf, toDelivery, toSqs, type SqsContent } from './sqs-message.js';
import { addressesOf, sqsSchema, type SqsOptions, type SqsSettings } from './sqs-options.js';
import { provisionSqs } from './sqs-provision.js';

/**
 * A queue of Amazon SQS, or of what speaks its protocol. Credentials come from the SDK's default chain alone.
 *
 * What SQS cannot carry (bytes that are no XML text, no body at all, more than ten attributes or names and values that it
 * refuses) is sent in an encoding of ours, and what others' producers send is taken as it is.
 */
export function sqs(options: SqsOptions): Provider<Queue> {
  const checked = checkOptions(sqsSchema, options);
  return {
    name: 'sqs',
    kind: 'queue',
    problems: checked.problems,
    addresses: checked.data === undefined ? {} : addressesOf(checked.data),
    open: (place) => new SqsQueue(checked.of(place)),
  };
}

/** AWS: SQS developer guide, "Amazon SQS visibility timeout": from when a message is received, extensions included. */
const longestLeaseMs = 12 * 3_600_000;
const receiveMessages = 10;
/**
 * SQS cannot be told to stop waiting, and what it hands out to a request that was given up is hidden for a whole lease: no
 * request waits for longer than a poller that is to end can.
 */
const longestWaitSeconds = 2;
/** Calls of one kind: extensions are never in the way of acknowledgements. */
const callsAtOnce = 16;

class SqsQueue implements Queue {
  readonly limits: QueueLimits;
  readonly #settings: SqsSettings;
  readonly calls: SqsCalls;
  readonly #dead: SqsQueue | undefined;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #atOnce = { send: pLimit(callsAtOnce), acknowledge: pLimit(callsAtOnce), extend: pLimit(callsAtOnce) };
  #closing = false;

  constructor(settings: SqsSettings) {
    const { queue, deadLetters, region, heldMessages } = settings;
    this.#settings = settings;
    this.calls = new SqsCalls(queue, region);
    const { deadLetters: _, ...others } = settings;
    if (deadLetters !== undefined) this.#dead = new SqsQueue({ ...others, queue: deadLetters });
    this.limits = {
      messageBytes: batchLimits.bytes,
      receiveMessages,
      receiveBytes: receiveMessages * batchLimits.bytes,
      leaseMs: longestLeaseMs,
      holdMs: longestLeaseMs,
      heldMessages,
    };
  }

  get deadLetters(): Queue | undefined {
    return this.#dead;
  }

  sizeOf(message: Message): number {
    return sizeOf(toSqs(message));
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
    const messages = Math.min(want.messages, receiveMessages);
    const leaseSeconds = Math.ceil(Math.min(want.leaseMs, longestLeaseMs) / 1_000);
    const until = performance.now() + want.waitMs;
    while (!want.signal.aborted) {
      const waitSeconds = Math.min(Math.max(0, Math.ceil((until - performance.now()) / 1_000)), longestWaitSeconds);
      const received = await this.calls.receive({ messages, waitSeconds, leaseSeconds });
      if (received.length > 0 || this.#closing || performance.now() >= until) return received.map(toDelivery);
    }
    return [];
  }

  async send(messages: readonly Message[]): Promise<Outcome[]> {
    const outcomes = new Array<Outcome>(messages.length);
    const fitting: { index: number; content: SqsContent; bytes: number }[] = [];
    for (const [index, message] of messages.entries()) {
      const content = toSqs(message);
      const bytes = sizeOf(content);
      if (bytes <= batchLimits.bytes) fitting.push({ index, content, bytes });
      else outcomes[index] = tooLarge(bytes, this.#settings.queue.url);
    }
    const batches = inBatches(fitting, ({ bytes }) => bytes);
    await this.#each(this.#atOnce.send, batches, async (batch) => {
      const sent = await this.#sendBatch(batch.map(({ content }) => content));
      for (const [place, { index }] of batch.entries()) outcomes[index] = sent[place]!;
    });
    return outcomes;
  }

  async #sendBatch(contents: readonly SqsContent[]): Promise<Outcome[]> {
    const entries = contents.map((content, index) => ({ Id: String(index), ...content, ...this.#ordered(content) }));
    try {
      const result = await this.calls.send(entries);
      if (result !== 'too long') return outcomesOf(entries.length, result, ofFailedMessage);
    } catch (error) {
      return entries.map(() => failed(error));
    }
    if (contents.length === 1) return [tooLarge(sizeOf(contents[0]!), this.#settings.queue.url)];
    const half = Math.ceil(contents.length / 2);
    return [...(await this.#sendBatch(contents.slice(0, half))), ...(await this.#sendBatch(contents.slice(half)))];
  }

  /** A FIFO queue wants a group; and an id, for which it would swallow another message with the same. */
  #ordered({ MessageGroupId = 'catchment' }: SqsContent): Partial<SendMessageBatchRequestEntry> {
    return this.#settings.queue.fifo ? { MessageGroupId, MessageDeduplicationId: randomUUID() } : {};
  }

  acknowledge(receipts: readonly string[]): Promise<Outcome[]> {
    return this.#settle(this.#atOnce.acknowledge, receipts, (entries) => this.calls.delete(entries));
  }

  extend(receipts: readonly string[], leaseMs: number): Promise<Outcome[]> {
    const VisibilityTimeout = Math.ceil(Math.min(leaseMs, longestLeaseMs) / 1_000);
    return this.#settle(this.#atOnce.extend, receipts, (entries) =>
      this.calls.extend(entries.map((entry) => ({ ...entry, VisibilityTimeout }))),
    );
  }

  async #settle(
    limit: LimitFunction,
    receipts: readonly string[],
    call: (entries: { Id: string; ReceiptHandle: string }[]) => ReturnType<SqsCalls['delete']>,
  ): Promise<Outcome[]> {
    const settled = await this.#each(limit, inBatches(receipts), async (batch) => {
      const entries = batch.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }));
      try {
        return outcomesOf(batch.length, await call(entries), ofFailedReceipt);
      } catch (error) {
        return batch.map(() => failed(error));
      }
    });
    return settled.flat();
  }

  #each<Item, Result>(
    limit: LimitFunction,
    items: readonly Item[],
    run: (item: Item) => Promise<Result>,
  ): Promise<Result[]> {
    return this.#track(Promise.all(items.map((item) => limit(run, item))));
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

  async backlog(): Promise<{ waiting: number; leased: number }> {
    const {
      ApproximateNumberOfMessages = '0',
      ApproximateNumberOfMessagesDelayed = '0',
      ApproximateNumberOfMessagesNotVisible = '0',
    } = await this.calls.attributes(
      'ApproximateNumberOfMessages',
      'ApproximateNumberOfMessagesDelayed',
      'ApproximateNumberOfMessagesNotVisible',
    );
    return {
      waiting: Number(ApproximateNumberOfMessages) + Number(ApproximateNumberOfMessagesDelayed),
      leased: Number(ApproximateNumberOfMessagesNotVisible),
    };
  }

  check(needs: Needs): Promise<readonly Finding[]> {
    return checkSqs(this.calls, this.#dead?.calls, this.#settings.heldMessages, needs);
  }

  provision(how: 'plan' | 'apply'): Promise<readonly Provisioned[]> {
    return provisionSqs(this.calls, this.#dead?.calls, how);
  }

  async close(): Promise<void> {
    this.#closing = true;
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    await Promise.all([this.calls.close(), this.#dead?.close()]);
  }
}

function failed(error: unknown): Outcome {
  return { status: 'failed', error: error as Error, retry: error instanceof Unavailable };
}

import pLimit from 'p-limit';

import { CatchmentError, Unavailable } from '../../errors.js';
import type { Message, Outcome } from '../queue.js';
import type { PubsubCalls } from './pubsub-calls.js';
import { callsAtOnce, inChunks, ownBytes, requestLimits } from './pubsub-chunks.js';
import { sizeOf, toPubsub, type PubsubContent } from './pubsub-message.js';
import { done, ofFailure } from './pubsub-outcomes.js';
import { sdkError } from './sdk.js';

interface Sending {
  readonly index: number;
  readonly content: PubsubContent;
  readonly bytes: number;
}

/** Publishes, with one outcome a message. */
export class Sends {
  readonly #calls: PubsubCalls;
  readonly #atOnce = pLimit(callsAtOnce);

  constructor(calls: PubsubCalls) {
    this.#calls = calls;
  }

  async send(messages: readonly Message[]): Promise<Outcome[]> {
    const outcomes = new Array<Outcome>(messages.length);
    const fitting: Sending[] = [];
    for (const [index, message] of messages.entries()) {
      const bytes = sizeOf(message);
      if (ownBytes + bytes <= requestLimits.publish.bytes) fitting.push({ index, content: toPubsub(message), bytes });
      else outcomes[index] = tooLarge(ownBytes + bytes, this.#calls.topic);
    }
    const chunks = inChunks(fitting, { limit: requestLimits.publish, own: ownBytes, bytesOf: ({ bytes }) => bytes });
    const ordered = fitting.some(({ content }) => content.orderingKey !== undefined);
    const late = new Set<string>();
    const publish = (chunk: readonly Sending[]): Promise<void> => this.#publish(chunk, outcomes, late);
    if (ordered) for (const chunk of chunks) await this.#atOnce(publish, chunk);
    else await Promise.all(chunks.map((chunk) => this.#atOnce(publish, chunk)));
    return outcomes;
  }

  /**
   * A request is taken as a whole: where the service refuses it, each half is asked for alone, to find whom it means.
   *
   * Of one group, none goes out before the one ahead of it is there, unless that one is refused for good; `late`: groups of
   * which one is still to come.
   */
  async #publish(chunk: readonly Sending[], outcomes: Outcome[], late: Set<string>): Promise<void> {
    const due: Sending[] = [];
    for (const sending of chunk) {
      const { orderingKey } = sending.content;
      if (orderingKey === undefined || !late.has(orderingKey)) due.push(sending);
      else outcomes[sending.index] = behind;
    }
    if (due.length === 0) return;
    let outcome = done;
    try {
      await this.#calls.publish(due.map(({ content }) => content));
    } catch (error) {
      // INVALID_ARGUMENT.
      const isRefused = sdkError(error).grpc === 3;
      if (isRefused && due.length > 1) {
        const half = Math.ceil(due.length / 2);
        await this.#publish(due.slice(0, half), outcomes, late);
        await this.#publish(due.slice(half), outcomes, late);
        return;
      }
      const { topic } = this.#calls;
      outcome = isRefused
        ? refused(topic)
        : ofFailure(this.#calls.failure(error, `sending to ${topic}`, 'pubsub.topics.publish'));
    }
    for (const { index, content } of due) {
      outcomes[index] = outcome;
      if (outcome.status === 'failed' && outcome.retry && content.orderingKey !== undefined)
        late.add(content.orderingKey);
    }
  }
}

const behind: Outcome = {
  status: 'failed',
  error: new Unavailable('not sent, since a message of the same group that was to be ahead of it was not'),
  retry: true,
};

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

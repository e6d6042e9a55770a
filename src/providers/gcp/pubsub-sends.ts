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
    if (ordered) for (const chunk of chunks) await this.#atOnce(publish, chunk);
    else await Promise.all(chunks.map((chunk) => this.#atOnce(publish, chunk)));
    return outcomes;
  }

  /** A request is taken as a whole: where the service refuses it, each half is asked for alone, to find whom it means. */
  async #publish(contents: readonly PubsubContent[]): Promise<Outcome[]> {
    if (contents.length === 0) return [];
    try {
      await this.#calls.publish(contents);
      return contents.map(() => done);
    } catch (error) {
      // INVALID_ARGUMENT.
      if (sdkError(error).grpc !== 3) {
        const failed = this.#calls.failure(error, `sending to ${this.#calls.topic}`, 'pubsub.topics.publish');
        return contents.map(() => ofFailure(failed));
      }
    }
    if (contents.length === 1) return [refused(this.#calls.topic)];
    const half = Math.ceil(contents.length / 2);
    return [...(await this.#publish(contents.slice(0, half))), ...(await this.#publish(contents.slice(half)))];
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

import type { protos } from '@google-cloud/pubsub';

import { CatchmentError } from '../../errors.js';
import { inTime, NoAnswer } from './no-answer.js';
import { Link, type Connected } from './pubsub-link.js';
import type { PubsubContent } from './pubsub-message.js';
import { fullName, type PubsubSettings } from './pubsub-options.js';
import { sdkError, unavailable } from './sdk.js';

export type Topic = protos.google.pubsub.v1.ITopic;
export type Subscription = protos.google.pubsub.v1.ISubscription;
export type ReceivedMessage = protos.google.pubsub.v1.IReceivedMessage;

/** A pull under way: its answer, and a way to end it, at which it answers with nothing. */
export interface Pull {
  readonly answer: Promise<readonly ReceivedMessage[]>;
  readonly cancel: () => void;
}

type CancellablePull = (
  request: protos.google.pubsub.v1.IPullRequest,
  options: object,
) => Promise<[protos.google.pubsub.v1.IPullResponse]> & { readonly cancel: () => void };

/** What the client tries again by itself, for how long in all, and for how long each time. */
const tried = (eachMs: number, inAllMs: number) => ({
  retry: {
    // DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE.
    retryCodes: [4, 8, 10, 13, 14],
    backoffSettings: {
      ...{ initialRetryDelayMillis: 100, retryDelayMultiplier: 2, maxRetryDelayMillis: 4_000 },
      ...{ initialRpcTimeoutMillis: eachMs, rpcTimeoutMultiplier: 1, maxRpcTimeoutMillis: eachMs },
      totalTimeoutMillis: inAllMs,
    },
  },
});
/** The largest request, 10 MB, takes a slow line a while. */
const publishing = () => tried(30_000, 40_000);
const settling = () => tried(10_000, 20_000);

const audience = 'https://pubsub.googleapis.com/';

/** Pub/Sub's calls on a topic and its subscription. Each throws `Unavailable` with what was asked; the first connects. */
export class PubsubCalls {
  readonly settings: PubsubSettings;
  readonly #link: Link;
  readonly #tokenMs: number;
  #closed = false;

  /** `part`: whose they are, for people. `tokenMs`: as long as a token is waited for. */
  constructor(settings: PubsubSettings, part: string, tokenMs = 20_000) {
    this.settings = settings;
    this.#tokenMs = tokenMs;
    this.#link = new Link(settings, part);
  }

  /** For people, and as far as it is known before the first call. */
  get topic(): string {
    return fullName(this.settings.topic, 'topics', this.settings.projectId);
  }
  get subscription(): string {
    return fullName(this.settings.subscription, 'subscriptions', this.settings.projectId);
  }

  /** Throws `ConfigError` or `Unavailable`. */
  async connection(doing: string): Promise<Connected> {
    if (this.#closed) throw this.closedError();
    return this.#link.connected().catch((error: unknown) => {
      throw this.failure(error, doing, 'it');
    });
  }

  /** Of at most so many messages, which waits for the first of them for `waitMs`. */
  async pull(maxMessages: number, waitMs: number): Promise<Pull> {
    const doing = `receiving from ${this.subscription}`;
    const { subscriber, subscription, auth } = await this.connection(doing);
    if (auth !== undefined) await this.#hasToken(subscriber, doing);
    const headers = { 'x-goog-request-params': `subscription=${encodeURIComponent(subscription)}` };
    // The client's own method gives away no way to cancel the call.
    const pull = subscriber.innerApiCalls['pull'] as CancellablePull;
    const call = pull({ subscription, maxMessages }, { timeout: waitMs, retry: null, otherArgs: { headers } });
    const answer = call.then(
      ([{ receivedMessages }]) => receivedMessages ?? [],
      (error: unknown) => {
        const { grpc } = sdkError(error);
        // Nothing came: CANCELLED by us, or DEADLINE_EXCEEDED.
        if (grpc === 1 || grpc === 4) return [];
        throw this.failure(error, `receiving from ${subscription}`, 'pubsub.subscriptions.consume');
      },
    );
    return { answer, cancel: () => call.cancel() };
  }

  /** Who gives out tokens may never answer: to the client that is a pull which comes to its deadline, as with nothing there. */
  async #hasToken({ auth }: Connected['subscriber'], doing: string): Promise<void> {
    await inTime(auth.getRequestHeaders(audience), this.#tokenMs).catch((error: unknown) => {
      throw this.failure(error, doing, 'it');
    });
  }

  /** All or none; throws as the client does. */
  async publish(messages: readonly PubsubContent[]): Promise<void> {
    const { publisher, topic } = await this.connection(`sending to ${this.topic}`);
    await publisher.publish({ topic, messages: messages as PubsubContent[] }, publishing());
  }

  /** Throws as the client does. */
  async acknowledge(ackIds: readonly string[]): Promise<void> {
    const { subscriber, subscription } = await this.connection(`acknowledging on ${this.subscription}`);
    await subscriber.acknowledge({ subscription, ackIds: ackIds as string[] }, settling());
  }

  /** Throws as the client does. */
  async extend(ackIds: readonly string[], ackDeadlineSeconds: number): Promise<void> {
    const { subscriber, subscription } = await this.connection(`extending leases on ${this.subscription}`);
    await subscriber.modifyAckDeadline({ subscription, ackIds: ackIds as string[], ackDeadlineSeconds }, settling());
  }

  /** Undefined where there is none. */
  findTopic(): Promise<Topic | undefined> {
    return this.#find('looking at', 'topic', 'pubsub.topics.get', ({ publisher, topic }) =>
      publisher.getTopic({ topic }, settling()),
    );
  }

  /** Undefined where there is none. */
  findSubscription(): Promise<Subscription | undefined> {
    return this.#find('looking at', 'subscription', 'pubsub.subscriptions.get', ({ subscriber, subscription }) =>
      subscriber.getSubscription({ subscription }, settling()),
    );
  }

  async makeTopic(): Promise<void> {
    const { publisher, topic } = await this.connection(`making the topic ${this.topic}`);
    await publisher.createTopic({ name: topic }, settling()).catch((error: unknown) => {
      if (!alreadyThere(error)) throw this.failure(error, `making the topic ${topic}`, 'pubsub.topics.create');
    });
  }

  async makeSubscription(wanted: Subscription): Promise<void> {
    const { subscriber, topic, subscription } = await this.connection(`making the subscription ${this.subscription}`);
    const made = { ...wanted, name: subscription, topic };
    await subscriber.createSubscription(made, settling()).catch((error: unknown) => {
      const permission = 'pubsub.subscriptions.create and pubsub.topics.attachSubscription';
      if (!alreadyThere(error)) throw this.failure(error, `making the subscription ${subscription}`, permission);
    });
  }

  /** `paths`: the fields of it that are to change, as Protocol Buffers name them. */
  async changeSubscription(wanted: Subscription, paths: readonly string[]): Promise<void> {
    const { subscriber, subscription } = await this.connection(`changing the subscription ${this.subscription}`);
    const request = { subscription: { ...wanted, name: subscription }, updateMask: { paths: [...paths] } };
    await subscriber.updateSubscription(request, settling()).catch((error: unknown) => {
      throw this.failure(error, `changing the subscription ${subscription}`, 'pubsub.subscriptions.update');
    });
  }

  /** Calls under way are to have ended: what is asked later is refused. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#link.close();
  }

  closedError(): CatchmentError {
    return new CatchmentError(`The subscription ${this.subscription} is closed.`);
  }

  /** Where none came, or was not taken (DEADLINE_EXCEEDED, UNAUTHENTICATED), the client would go on with what it has. */
  failure(error: unknown, doing: string, permission: string): CatchmentError {
    const isOfToken = error instanceof NoAnswer || [4, 16].includes(sdkError(error).grpc ?? 0);
    if (isOfToken) this.#link.renew();
    return unavailable(error, { doing, permission });
  }

  async #find<Found>(
    doing: string,
    what: 'topic' | 'subscription',
    permission: string,
    ask: (on: Connected) => Promise<[Found, ...unknown[]]>,
  ): Promise<Found | undefined> {
    const connection = await this.connection(`${doing} ${this[what]}`);
    try {
      const [found] = await ask(connection);
      return found;
    } catch (error) {
      if (sdkError(error).grpc === 5) return undefined;
      throw this.failure(error, `${doing} ${connection[what]}`, permission);
    }
  }
}

const alreadyThere = (error: unknown): boolean => sdkError(error).grpc === 6;

import { randomUUID } from 'node:crypto';

import { PubSub, v1, type protos } from '@google-cloud/pubsub';

import { PubsubFaults } from './pubsub-faults.js';

type Config = NonNullable<ConstructorParameters<typeof v1.SubscriberClient>[0]>;
export type Received = protos.google.pubsub.v1.IReceivedMessage;
export type Content = protos.google.pubsub.v1.IPubsubMessage;
export type SubscriptionSettings = protos.google.pubsub.v1.ISubscription;
type Named = SubscriptionSettings & { readonly name: string; readonly topic: string };

/** Nothing is tried again by the client: what a test sees is what one call was answered. */
const once = { retry: null, timeout: 20_000 } as const;

/** A topic of a test's own with a subscription, by the calls of Pub/Sub. */
export class PubsubPlace {
  readonly topic: string;
  readonly subscription: string;
  /** Of this topic, this subscription, and those that a test makes beside with names that begin with theirs. */
  readonly faults: { readonly topic: PubsubFaults; readonly subscription: PubsubFaults };
  readonly publisher: v1.PublisherClient;
  readonly subscriber: v1.SubscriberClient;

  private constructor(config: Config, admin: string) {
    const name = `test-${randomUUID()}`;
    this.topic = `projects/stand-in/topics/${name}`;
    this.subscription = `projects/stand-in/subscriptions/${name}`;
    this.faults = {
      topic: new PubsubFaults(admin, this.topic),
      subscription: new PubsubFaults(admin, this.subscription),
    };
    this.publisher = new v1.PublisherClient(config);
    this.subscriber = new v1.SubscriberClient(config);
  }

  static async make(endpoint: string, admin: string, settings: SubscriptionSettings = {}): Promise<PubsubPlace> {
    const pubsub = new PubSub({ apiEndpoint: endpoint, emulatorMode: true });
    const { port, ...config } = await pubsub.getClientConfig();
    const clientOptions = { universeDomain: 'googleapis.com' };
    const place = new PubsubPlace({ ...config, port: Number(port), clientOptions }, admin);
    await place.publisher.createTopic({ name: place.topic }, once);
    await place.subscribe(settings);
    return place;
  }

  /** Another subscription, where another name is given. */
  async subscribe(settings: SubscriptionSettings): Promise<SubscriptionSettings> {
    const wanted: Named = { name: this.subscription, topic: this.topic, ...settings } as Named;
    const [made] = await this.subscriber.createSubscription(wanted, once);
    return made;
  }

  async publish(...messages: readonly (string | Content)[]): Promise<string[]> {
    const contents = messages.map((each) => (typeof each === 'string' ? { data: Buffer.from(each) } : each));
    const [{ messageIds }] = await this.publisher.publish({ topic: this.topic, messages: contents }, once);
    return messageIds!;
  }

  /** Waits for something; nothing where nothing comes in that time. */
  async pull({ most = 1_000, waitMs = 20_000, subscription = this.subscription } = {}): Promise<Received[]> {
    try {
      const request = { subscription, maxMessages: most };
      const [{ receivedMessages }] = await this.subscriber.pull(request, { ...once, timeout: waitMs });
      return receivedMessages ?? [];
    } catch (error) {
      if ((error as { code?: number }).code === 4) return [];
      throw error;
    }
  }

  /** Looks without waiting. */
  async look(most = 1_000): Promise<Received[]> {
    const request = { subscription: this.subscription, maxMessages: most, returnImmediately: true };
    return (await this.subscriber.pull(request, once))[0].receivedMessages ?? [];
  }

  async acknowledge(received: readonly Received[]): Promise<void> {
    await this.subscriber.acknowledge({ subscription: this.subscription, ackIds: idsOf(received) }, once);
  }

  async extend(received: readonly Received[], ackDeadlineSeconds: number): Promise<void> {
    const request = { subscription: this.subscription, ackIds: idsOf(received), ackDeadlineSeconds };
    await this.subscriber.modifyAckDeadline(request, once);
  }

  async close(): Promise<void> {
    await Promise.all([this.publisher.close(), this.subscriber.close()]);
  }
}

export function idsOf(received: readonly Received[]): string[] {
  return received.map(({ ackId }) => ackId!);
}

export function bodiesOf(received: readonly Received[]): string[] {
  return received.map(({ message }) => String(message!.data));
}

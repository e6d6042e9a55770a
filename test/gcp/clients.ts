import { PubSub, v1 } from '@google-cloud/pubsub';

/** Google's own clients of Pub/Sub, as others use them. */
export interface PubsubClients {
  readonly publisher: v1.PublisherClient;
  readonly subscriber: v1.SubscriberClient;
  close(): Promise<void>;
}

/** On a stand-in at `endpoint`, which wants no credentials. */
export function clientsOf(endpoint: string): PubsubClients {
  const { options } = new PubSub({ apiEndpoint: endpoint, emulatorMode: true, projectId: 'tests' });
  const { port, ...others } = options;
  const config = { ...others, port: Number(port), clientOptions: { universeDomain: 'googleapis.com' } };
  const publisher = new v1.PublisherClient(config);
  const subscriber = new v1.SubscriberClient(config);
  return {
    publisher,
    subscriber,
    async close() {
      await Promise.all([publisher.close(), subscriber.close()]);
    },
  };
}

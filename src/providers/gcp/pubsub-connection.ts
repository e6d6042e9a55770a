import type { PubSub, v1 } from '@google-cloud/pubsub';

import { ConfigError } from '../../errors.js';
import { inTime } from './no-answer.js';
import type { PubsubSettings } from './pubsub-options.js';
import { projectRemedy } from './sdk-remedies.js';

/** What a call is made with, once the client is loaded. */
export interface Connection {
  readonly publisher: v1.PublisherClient;
  readonly subscriber: v1.SubscriberClient;
  /** For what has no client here: Cloud Monitoring. Undefined: an emulator, which asks for no credentials. */
  readonly auth?: PubSub['auth'];
  readonly projectId: string;
}

/**
 * Without pings, a connection that went dead would be found out only after a quarter of an hour: until then each call would
 * come to its deadline, as a pull of an empty subscription does. Google's own client of Bigtable sends them as often.
 */
const keepalive = { 'grpc.keepalive_time_ms': 30_000, 'grpc.keepalive_timeout_ms': 10_000 } as const;

/** Loads the client, finds credentials and project, and connects. Throws as the client does, or `NoAnswer`. */
export async function connect(settings: PubsubSettings, longestMs = 30_000): Promise<Connection> {
  const connecting = open(settings);
  try {
    return await inTime(connecting, longestMs);
  } catch (error) {
    // One that comes late is nobody's.
    connecting.then(disconnect).catch(() => undefined);
    throw error;
  }
}

async function open({ endpoint, projectId }: PubsubSettings): Promise<Connection> {
  const { PubSub, v1 } = await import('@google-cloud/pubsub');
  const pubsub = new PubSub({
    ...keepalive,
    ...(projectId !== undefined && { projectId }),
    ...(endpoint !== undefined && { apiEndpoint: endpoint, emulatorMode: endpoint.startsWith('http://') }),
  });
  const { port, ...others } = await pubsub.getClientConfig();
  const config = {
    ...others,
    ...(port !== undefined && { port: Number(port) }),
    // Else an emulator's client looks for credentials, of which it has no need.
    ...(pubsub.isEmulator && { clientOptions: { universeDomain: 'googleapis.com' } }),
  };
  if (pubsub.projectId === '') throw new ConfigError(projectRemedy);
  const publisher = new v1.PublisherClient(config);
  const subscriber = new v1.SubscriberClient(config);
  await Promise.all([publisher.initialize(), subscriber.initialize()]);
  return { publisher, subscriber, projectId: pubsub.projectId, ...(!pubsub.isEmulator && { auth: pubsub.auth }) };
}

export async function disconnect({ publisher, subscriber }: Connection): Promise<void> {
  await Promise.all([publisher.close(), subscriber.close()]);
}

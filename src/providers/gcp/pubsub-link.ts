import { ConfigError } from '../../errors.js';
import { claim } from './pubsub-claims.js';
import { connect, disconnect, type Connection } from './pubsub-connection.js';
import { fullName, type PubsubSettings } from './pubsub-options.js';

/** With the full names of what the calls are of. */
export interface Connected extends Connection {
  readonly topic: string;
  readonly subscription: string;
}

/** No call that was under way takes longer. */
const renewedEachMs = 60_000;

/** The one connection of a topic and its subscription: the first call makes it. */
export class Link {
  readonly #settings: PubsubSettings;
  readonly #part: string;
  #connected: Promise<Connected> | undefined;
  #renewedAt = -Infinity;

  /** `part`: whose it is, for people. */
  constructor(settings: PubsubSettings, part: string) {
    this.#settings = settings;
    this.#part = part;
  }

  /** Throws as the client does, and is tried anew by the next call then; `ConfigError`, the same to every call. */
  async connected(): Promise<Connected> {
    const connecting = (this.#connected ??= this.#connect());
    try {
      return await connecting;
    } catch (error) {
      if (!(error instanceof ConfigError) && this.#connected === connecting) this.#connected = undefined;
      throw error;
    }
  }

  async #connect(): Promise<Connected> {
    const connection = await connect(this.#settings);
    const topic = fullName(this.#settings.topic, 'topics', connection.projectId);
    const subscription = fullName(this.#settings.subscription, 'subscriptions', connection.projectId);
    try {
      claim(this.#part, [topic, subscription]);
    } catch (error) {
      await disconnect(connection);
      throw error;
    }
    return { ...connection, topic, subscription };
  }

  /** The next call looks for credentials anew. */
  renew(): void {
    const now = performance.now();
    if (now - this.#renewedAt < renewedEachMs) return;
    this.#renewedAt = now;
    const old = this.#connected;
    this.#connected = undefined;
    // What is under way on it goes on.
    setTimeout(() => void old?.then(disconnect).catch(() => undefined), renewedEachMs).unref();
  }

  /** Calls under way are to have ended. */
  async close(): Promise<void> {
    const connection = await this.#connected?.catch(() => undefined);
    this.#connected = undefined;
    if (connection !== undefined) await disconnect(connection);
  }
}

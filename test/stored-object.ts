import { newId } from '../src/ids.js';
import { objectKey } from '../src/keys.js';
import { encodeBatch } from '../src/starter/encode.js';

export interface StoredEvent {
  readonly id?: string;
  readonly attributes?: Record<string, string>;
  readonly body: string | Uint8Array;
}

/** A lake object as a poller makes it, of a batch that closed now; a later call's batch is a later one. */
export async function storedObject(
  events: readonly StoredEvent[],
  source = 'app',
): Promise<{ key: string; body: Uint8Array }> {
  const batch = newId();
  const deliveries = events.map(({ id = newId(), attributes = {}, body }) => {
    return { id, attributes, body: Buffer.from(body as Uint8Array), sentAt: new Date() };
  });
  const { body, sha256 } = await encodeBatch({ source, batch, dedupeMs: 1_000, deliveries });
  return { body, key: objectKey({ source, batch, events: events.length, hash: sha256.slice(0, 32) }) };
}

import type { Sender } from '../src/send/sender.js';

const words = Array.from({ length: 2_000 }, (_, index) => (index * 2_654_435_761).toString(36).slice(-7));

/** The same events in every run, so that runs compare (mulberry32, seeded). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Bodies as an app sends them: JSON of the size asked for, every second one with two items, the rest words. */
export function bodies(bytes: number, seed = 1): () => Uint8Array {
  const random = randomNumbers(seed);
  const word = (): string => words[Math.floor(random() * words.length)]!;
  let count = 0;
  return () => {
    count++;
    const body = {
      user: `user-${Math.floor(random() * 50_000)}`,
      session: `${word()}-${word()}`,
      screen: `screen-${Math.floor(random() * 40)}`,
      ts: new Date().toISOString(),
      durationMs: Math.floor(random() * 60_000),
      ...(count % 3 === 0 && { price: Math.round(random() * 10_000) / 100 }),
      ...(count % 2 === 0 && { items: [item(), item()] }),
      note: '',
    };
    let left = bytes - JSON.stringify(body).length;
    for (let next = word(); left > 0; next = word()) {
      body.note += `${next} `.slice(0, left);
      left -= next.length + 1;
    }
    return Buffer.from(JSON.stringify(body));
  };

  function item(): { sku: string; quantity: number } {
    return { sku: word(), quantity: 1 + Math.floor(random() * 5) };
  }
}

export const attributes = { type: 'view' };

/** Sends `events` events; all are durable on the queue when it resolves. */
export async function fill(sender: Sender, events: number, next: () => Uint8Array): Promise<void> {
  let failure: unknown;
  for (let sent = 0; sent < events; sent++) {
    sender.send({ body: next() }).catch((error: unknown) => (failure = error));
    if (sent % 100 === 0) await sender.room();
  }
  await sender.flush();
  if (failure instanceof Error) throw failure;
}

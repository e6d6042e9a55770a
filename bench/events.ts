import type { Sender } from '../src/send/sender.js';

const words = Array.from({ length: 1_000 }, (_, index) =>
  ((index + 1) * 2_654_435_761).toString(36).slice(-2 - (index % 8)),
);

/** What apps send again and again: agents, addresses, campaigns. */
const phrases = Array.from({ length: 200 }, (_, index) =>
  Array.from({ length: 6 }, (__, word) => words[(index * 31 + word * 7) % words.length]).join('-'),
);

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

/**
 * Bodies as an app sends them: JSON of the size asked for, every second one with two items, the rest properties
 * and phrases, which gzip at level 1 makes a seventh of.
 */
export function bodies(bytes: number, seed = 1): () => Uint8Array {
  const random = randomNumbers(seed);
  const oneOf = (list: readonly string[]): string => list[Math.floor(random() ** 3 * list.length)]!;
  const word = (): string => oneOf(words);
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
      ...(bytes >= 500 && {
        app: { name: 'shop', version: `4.${Math.floor(random() * 9)}.1`, build: 4_100 + Math.floor(random() * 30) },
        device: { os: random() < 0.5 ? 'iOS' : 'Android', model: `model-${word()}`, width: 1_170, height: 2_532 },
        locale: random() < 0.7 ? 'en-US' : 'de-DE',
        network: { carrier: word(), wifi: random() < 0.8 },
      }),
      note: '',
    };
    let left = bytes - JSON.stringify(body).length;
    for (let next = oneOf(phrases); left > 0; next = oneOf(phrases)) {
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

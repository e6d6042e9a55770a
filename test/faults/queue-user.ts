import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';

import { localQueue } from '../../src/providers/local/queue.js';
import type { Message } from '../../src/providers/queue.js';
import { randomFrom } from './random.js';

/**
 * Sends to a queue, or takes from it, until it is killed, and says on stdout what it is about to do and what is done:
 * `sending N`, `sent N`; `got N ID SENTAT`, `acknowledging N`, `acknowledged N`; `broken` for bytes that are not as sent.
 */
const [role, dataDir, seed] = process.argv.slice(2) as ['producer' | 'consumer', string, string];
const random = randomFrom(Number(seed));
const queue = localQueue().open({ pipeline: 'faults', dataDir, part: 'source-app' });
const say = (line: string): unknown => writeSync(1, `${line}\n`);
process.stdin.resume().on('end', () => process.exit());

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

let made = 0;
function message(): { number: string; message: Message } {
  const number = `${seed}-${++made}`;
  const body = Buffer.alloc(Math.floor(random() ** 6 * 400_000), `${number} ${random()}`);
  return { number, message: { body, attributes: { number, hash: hashOf(body) } } };
}

async function produce(): Promise<never> {
  for (;;) {
    const batch = Array.from({ length: 1 + Math.floor(random() ** 3 * 30) }, message);
    say(batch.map(({ number }) => `sending ${number}`).join('\n'));
    const outcomes = await queue.send(batch.map((one) => one.message));
    for (const [index, { status }] of outcomes.entries())
      say(status === 'done' ? `sent ${batch[index]!.number}` : status);
  }
}

async function consume(): Promise<never> {
  const { signal } = new AbortController();
  for (;;) {
    const got = await queue.receive({ messages: 40, waitMs: 200, leaseMs: 400, signal });
    for (const { id, sentAt, body, attributes } of got) {
      const { number, hash } = attributes as { number: string; hash: string };
      say(hashOf(body) === hash ? `got ${number} ${id} ${sentAt.getTime()}` : `broken ${number}`);
    }
    // Most are acknowledged, some given back, some forgotten until their lease lapses.
    const kept = got.filter(() => random() < 0.8);
    const returned = got.filter((one) => !kept.includes(one) && random() < 0.5);
    if (kept.length > 0) say(kept.map(({ attributes }) => `acknowledging ${attributes['number']!}`).join('\n'));
    const [outcomes] = await Promise.all([
      queue.acknowledge(kept.map(({ receipt }) => receipt)),
      queue.extend(
        returned.map(({ receipt }) => receipt),
        0,
      ),
    ]);
    for (const [index, { status }] of outcomes.entries()) {
      if (status === 'done') say(`acknowledged ${kept[index]!.attributes['number']!}`);
    }
  }
}

await Promise.all(role === 'producer' ? [produce(), produce(), produce()] : [consume(), consume()]);

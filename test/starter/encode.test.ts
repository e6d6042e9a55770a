import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';

import { bodyOf, type Envelope } from '../../src/envelope.js';
import { newId } from '../../src/ids.js';
import { pack } from '../../src/packing.js';
import type { BatchToEncode, EncodedBatch } from '../../src/starter/encode.js';
import { encodeBatch } from '../../src/starter/encode.js';
import { Encoder } from '../../src/starter/encoder.js';

const sentAt = new Date('2026-11-24T12:00:00.000Z');
const bodies = [
  Buffer.from('{"a":1}'),
  Buffer.from(''),
  Buffer.from('\ufeffwith a BOM'),
  Buffer.from('a\0b'),
  Buffer.from([0xff, 0xfe, 0x00]),
  Buffer.from('line\nfeeds\r\n and \u2028'),
  Buffer.alloc(1_000_000, 'long '),
];

function batchOf(deliveries: BatchToEncode['deliveries']): BatchToEncode {
  return { source: 'app', batch: '019ab000-0000-7000-8000-000000000000', dedupeMs: 1_000, deliveries };
}

function deliveryOf(body: Uint8Array, attributes: Record<string, string> = {}): BatchToEncode['deliveries'][number] {
  return { id: newId(), body, attributes, sentAt };
}

function hashOf(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex');
}

function envelopes({ body }: EncodedBatch): Envelope[] {
  const lines = gunzipSync(body).toString('utf8').split('\n');
  expect(lines.pop()).toBe('');
  return lines.map((line) => JSON.parse(line) as Envelope);
}

test('every event comes back byte for byte, packed or alone, in order', async () => {
  const message = pack(
    bodies.map((body, n) => ({ id: `packed-${n}`, attributes: { n: `${n}` }, body })),
    { common: 'yes' },
  );
  const deliveries = [...bodies.map((body) => deliveryOf(body)), deliveryOf(message.body, message.attributes)];
  const encoded = await encodeBatch(batchOf(deliveries));
  const found = envelopes(encoded);
  expect(encoded.events).toBe(14);
  // By their hashes, since Jest compares buffers byte by byte.
  expect(found.map(bodyOf).map(hashOf)).toEqual([...bodies, ...bodies].map(hashOf));
  expect(found[10]).toMatchObject({ id: 'packed-3', attributes: { n: '3', common: 'yes' }, source: 'app' });
});

test('the same batch gives the same bytes, and the hash is theirs', async () => {
  const batch = batchOf(Array.from({ length: 3_000 }, (_, n) => deliveryOf(Buffer.from(JSON.stringify({ n })))));
  const encoder = new Encoder();
  try {
    const [here, there, again] = await Promise.all([encodeBatch(batch), encoder.encode(batch), encoder.encode(batch)]);
    expect(Buffer.compare(here.body, there.body)).toBe(0);
    expect(Buffer.compare(there.body, again.body)).toBe(0);
    expect(here.sha256).toBe(hashOf(here.body));
    expect(there.sha256).toBe(here.sha256);
    expect(there.events).toBe(3_000);
  } finally {
    await encoder.close();
  }
});

test('what is under way when it is closed fails, and so does what is asked for later', async () => {
  const encoder = new Encoder();
  const batch = batchOf([deliveryOf(bodies[0]!)]);
  const lost = expect(encoder.encode(batch)).rejects.toMatchObject({ name: 'Unavailable' });
  await encoder.close();
  await lost;
  await expect(encoder.encode(batch)).rejects.toMatchObject({ name: 'Unavailable' });
});

test('a batch that cannot be encoded fails alone, without a byte of it in the error', async () => {
  const encoder = new Encoder();
  try {
    const broken = { ...deliveryOf(Buffer.from('SECRET')), sentAt: new Date(Number.NaN) };
    await expect(encoder.encode(batchOf([broken]))).rejects.toThrow(/^(?!.*SECRET).*could not be encoded/);
    expect((await encoder.encode(batchOf([deliveryOf(bodies[0]!)]))).events).toBe(1);
  } finally {
    await encoder.close();
  }
});

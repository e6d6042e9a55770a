import { pack } from '../../src/packing.js';
import type { Delivery } from '../../src/providers/queue.js';
import { OpenBatch } from '../../src/starter/open-batch.js';

let ids = 0;
function delivery(body: Uint8Array, attributes: Record<string, string> = {}): Delivery {
  const id = `message-${ids++}`;
  return { id, receipt: `receipt of ${id}`, body, attributes, sentAt: new Date() };
}

function packed(events: number, bytes: number): Delivery {
  const body = Buffer.alloc(bytes, 'x');
  const message = pack(Array.from({ length: events }, (_, id) => ({ id: `${id}`, attributes: {}, body })));
  return delivery(message.body, message.attributes);
}

test('takes messages until their envelopes come to 16 MB', () => {
  const batch = new OpenBatch();
  let taken = 0;
  while (batch.add(delivery(Buffer.alloc(1_000_000)))) taken++;
  expect(taken).toBe(15);
  expect(batch.bytes).toBeLessThanOrEqual(16_000_000);
  expect(batch.held).toBe(15_000_000);
  expect(batch.deliveries).toHaveLength(15);
});

test('attributes count, as they do in envelopes', () => {
  const batch = new OpenBatch();
  const attributes = { note: 'x'.repeat(200_000) };
  let taken = 0;
  while (batch.add(delivery(Buffer.alloc(0), attributes))) taken++;
  expect(taken).toBe(79);
});

test('takes 20,000 events and not one more', () => {
  const batch = new OpenBatch();
  for (let n = 0; n < 20_000; n++) {
    expect(batch.full).toBe(false);
    expect(batch.add(delivery(Buffer.from('{}')))).toBe(true);
  }
  expect(batch.full).toBe(true);
  expect(batch.add(delivery(Buffer.from('{}')))).toBe(false);
  expect(batch.events).toBe(20_000);
});

test('a packed message counts its events and goes in whole or not at all', () => {
  const batch = new OpenBatch();
  expect(batch.add(packed(15_000, 10))).toBe(true);
  expect(batch.events).toBe(15_000);
  expect(batch.add(packed(5_001, 10))).toBe(false);
  expect(batch.add(packed(5_000, 10))).toBe(true);
  expect(batch.full).toBe(true);
});

test('a message larger than a batch makes one alone', () => {
  const many = new OpenBatch();
  expect(many.add(packed(25_000, 10))).toBe(true);
  expect(many.full).toBe(true);
  expect(many.add(delivery(Buffer.from('{}')))).toBe(false);

  const long = new OpenBatch();
  expect(long.add(delivery(Buffer.alloc(20_000_000)))).toBe(true);
  expect(long.full).toBe(true);

  const begun = new OpenBatch();
  expect(begun.add(delivery(Buffer.from('{}')))).toBe(true);
  expect(begun.add(packed(25_000, 10))).toBe(false);
});

test('a packed message that cannot be read is one event, and counted', () => {
  const batch = new OpenBatch();
  expect(batch.add(delivery(Buffer.from('no header'), { 'catchment-packed': '1' }))).toBe(true);
  expect(batch).toMatchObject({ events: 1, broken: 1 });
});

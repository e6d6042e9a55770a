import { protos } from '@google-cloud/pubsub';
import fc from 'fast-check';

import { sizeOf, toDelivery, toPubsub, type PubsubContent } from '../../src/providers/gcp/pubsub-message.js';
import type { Message } from '../../src/providers/queue.js';
import { anyBody, anyText, attributesOf } from '../arbitraries.js';

const publishTime = { seconds: 1_790_000_000, nanos: 250_000_000 };
const received = (content: PubsubContent, more: object = {}) =>
  toDelivery({ ackId: 'receipt', message: { ...content, messageId: '77', publishTime, ...more } });

/** What Pub/Sub does not take as a name, or we for ours, and what is only just one. */
const hardNames = fc.constantFrom(
  ...['', 'goog', 'google', 'agoog', 'catchment-message', 'catchment-attributes', 'catchment-packed'],
  ...['x'.repeat(256), 'x'.repeat(257), 'ü'.repeat(128), 'ü'.repeat(129)],
);
const hardValues = fc
  .tuple(fc.constantFrom('x', 'ü'), fc.integer({ min: 1_020, max: 1_030 }))
  .map(([letter, bytes]) => letter.repeat(bytes / Buffer.byteLength(letter)));

const anyMessage: fc.Arbitrary<Message> = fc.record({
  body: anyBody,
  attributes: fc.oneof(
    attributesOf(anyText),
    attributesOf(hardValues),
    fc.array(fc.tuple(hardNames, anyText), { maxLength: 2 }).map((entries) => Object.fromEntries(entries)),
    fc.integer({ min: 95, max: 105 }).map((count) => {
      return Object.fromEntries(Array.from({ length: count }, (_, index) => [`name-${index}`, String(index)]));
    }),
  ),
});

const isTaken = ([name, value]: [string, string]): boolean =>
  !/^goog|^$/.test(name) &&
  Buffer.byteLength(name) <= 256 &&
  Buffer.byteLength(value) <= 1_024 &&
  name.isWellFormed() &&
  value.isWellFormed();

test('any message arrives as it was sent, Pub/Sub can carry what it becomes, and its size is that of Protocol Buffers', () => {
  const { PublishRequest } = protos.google.pubsub.v1;
  const empty = PublishRequest.encode({ messages: [] }).finish().length;
  fc.assert(
    fc.property(anyMessage, fc.constantFrom(undefined, 'tenant-1'), (plain, group) => {
      const message = { ...plain, ...(group !== undefined && { group }) };
      const content = toPubsub(message);
      const attributes = Object.entries(content.attributes);
      expect(attributes.length).toBeLessThanOrEqual(100);
      expect(attributes.filter((attribute) => !isTaken(attribute))).toEqual([]);
      expect(sizeOf(message)).toBe(PublishRequest.encode({ messages: [content] }).finish().length - empty);
      const delivery = received(content);
      expect([...delivery.body]).toEqual([...message.body]);
      expect(Object.entries(delivery.attributes).sort()).toEqual(Object.entries(message.attributes).sort());
      expect(delivery.group).toBe(group);
    }),
    { numRuns: 1_000 },
  );
});

test('what Pub/Sub can carry is sent as it is, for any consumer to read, under an id of its own', () => {
  const content = toPubsub({ body: Buffer.from('{"a":1}'), attributes: { type: 'view' }, group: 'tenant' });
  expect(content).toEqual({
    data: Buffer.from('{"a":1}'),
    attributes: { type: 'view', 'catchment-message': expect.stringMatching(/^[0-9a-f-]{36}$/) as string },
    orderingKey: 'tenant',
  });
});

test('a message that was published twice is one, whatever ids Pub/Sub gave it', () => {
  const content = toPubsub({ body: Buffer.from('a'), attributes: {} });
  const [first, second] = [received(content, { messageId: '1' }), received(content, { messageId: '2' })];
  expect(second.id).toBe(first.id);
  const another = received(toPubsub({ body: Buffer.from('a'), attributes: {} }));
  expect(another.id).not.toBe(first.id);
});

test("what others send is taken as it is, under Pub/Sub's own id, and so is what only looks like ours", () => {
  const id = '0190a0b0-0000-7000-8000-000000000000';
  const more = { orderingKey: '' };
  for (const [body, attributes] of [
    ['[1]', { 'catchment-message': 'no id', 'catchment-attributes': '3' }],
    ['["a"]', { 'catchment-message': `${id}-`, 'catchment-attributes': '5' }],
    ['{"a":1}', { 'catchment-message': `-${id}`, 'catchment-attributes': '7' }],
    ['null', { 'catchment-attributes': '4' }],
    ['{}', { 'catchment-attributes': '99' }],
    ['{}', { 'catchment-attributes': 'x' }],
  ] as [string, Record<string, string>][]) {
    const delivery = received({ data: Buffer.from(body), attributes }, more);
    expect(Buffer.from(delivery.body).toString()).toBe(body);
    expect(delivery).toMatchObject({ id: '77', receipt: 'receipt', sentAt: new Date(1_790_000_000_250) });
    expect(delivery.attributes['catchment-attributes']).toBe(attributes['catchment-attributes']);
    expect(delivery).not.toHaveProperty('deliveries');
    expect(delivery).not.toHaveProperty('group');
  }
  expect([...received({ attributes: {} } as unknown as PubsubContent).body]).toEqual([]);
});

test('an attribute of the name of ours is no encoding of ours, though the body looks like it', () => {
  const message = { body: Buffer.from('{"a":"b"}!'), attributes: { 'catchment-attributes': '9' } };
  const { body, attributes } = received(toPubsub(message));
  expect(Buffer.from(body).toString()).toBe('{"a":"b"}!');
  expect(attributes).toEqual(message.attributes);
});

test('of the memory that others have around a body nothing is read', () => {
  const memory = Buffer.from('{"a":"SECRET"}');
  const delivery = received({ data: memory.subarray(0, 4), attributes: { 'catchment-attributes': '14' } });
  expect(delivery.attributes).toEqual({ 'catchment-attributes': '14' });
});

test('who sends may use the memory of a body again at once', () => {
  const body = Buffer.from('sent');
  const contents = ['plain', ''].map((name) => toPubsub({ body, attributes: { [name]: 'a' } }));
  body.fill('x');
  expect(contents.map((content) => Buffer.from(received(content).body).toString())).toEqual(['sent', 'sent']);
});

test('deliveries are counted where the subscription counts them, which is where it has dead letters', () => {
  const message = { data: Buffer.from('a'), attributes: {}, messageId: '77', publishTime };
  expect(toDelivery({ ackId: 'receipt', message, deliveryAttempt: 3 }).deliveries).toBe(3);
  expect(toDelivery({ ackId: 'receipt', message, deliveryAttempt: 0 })).not.toHaveProperty('deliveries');
});

test('what somebody on the way adds to a message of ours is kept beside what it carries in its body', () => {
  const long = 'x'.repeat(2_000);
  const { attributes, ...content } = toPubsub({ body: Buffer.from('a'), attributes: { long, kind: 'plain' } });
  const delivery = received({ ...content, attributes: { ...attributes, hop: 'relay', kind: 'changed' } });
  expect(Buffer.from(delivery.body).toString()).toBe('a');
  expect(delivery.attributes).toEqual({ long, kind: 'plain', hop: 'relay' });
});

test('a dead letter is what was sent, when it was sent first', () => {
  const attributes = {
    kind: 'plain',
    CloudPubSubDeadLetterSourceTopicPublishTime: '2026-11-20T10:00:00.125+00:00',
    CloudPubSubDeadLetterSourceDeliveryCount: '100',
  };
  const content = { data: Buffer.from('a'), attributes };
  const delivery = toDelivery({ ackId: 'receipt', message: { ...content, messageId: '77', publishTime } }, true);
  expect(delivery.sentAt).toEqual(new Date('2026-11-20T10:00:00.125Z'));
  expect(delivery.attributes).toEqual({ kind: 'plain' });
  // Anybody may have put them on a message of another subscription.
  expect(received(content)).toMatchObject({ sentAt: new Date(1_790_000_000_250), attributes });
});

test('a service that does not say when a message was sent is named as what is wrong', () => {
  expect(() => received({ data: Buffer.from('SECRET'), attributes: {} }, { publishTime: null })).toThrow(
    /^the subscription does not say when a message was sent/,
  );
});

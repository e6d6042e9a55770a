import fc from 'fast-check';

import { sizeOf, toDelivery, toSqs, type SqsContent } from '../../src/providers/aws/sqs-message.js';
import type { Message } from '../../src/providers/queue.js';
import { anyBody, anyText, attributesOf } from '../arbitraries.js';

const received = ({ MessageBody, MessageAttributes }: SqsContent) =>
  toDelivery({
    MessageId: 'id',
    ReceiptHandle: 'receipt',
    Body: MessageBody,
    ...(MessageAttributes !== undefined && { MessageAttributes }),
    Attributes: { SentTimestamp: '1790000000000', ApproximateReceiveCount: '3', MessageGroupId: 'group' },
  });

/** The characters that SQS takes, by its API reference: `#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF`. */
const isText = (text: string): boolean =>
  text !== '' &&
  Array.from(text, (character) => character.codePointAt(0)!).every((code) => {
    return (
      [0x9, 0xa, 0xd].includes(code) ||
      (code >= 0x20 && code <= 0xd7ff) ||
      (code >= 0xe000 && code <= 0xfffd) ||
      code >= 0x10000
    );
  });

/** What SQS does not take as a name, or we for ours, and what is only just one. */
const hardNames = fc.constantFrom(
  ...['a', 'AWS.a', 'amazon.b', 'awsa', '.a', 'a.', 'a..b', 'x'.repeat(256), 'x'.repeat(257)],
  ...['catchment-body', 'catchment-attributes', 'catchment-packed'],
);

const anyMessage: fc.Arbitrary<Message> = fc.record({
  body: anyBody,
  attributes: fc.oneof(
    attributesOf(anyText),
    fc.array(fc.tuple(hardNames, anyText), { maxLength: 2 }).map((entries) => Object.fromEntries(entries)),
    fc.integer({ min: 8, max: 12 }).map((count) => {
      return Object.fromEntries(Array.from({ length: count }, (_, index) => [`name-${index}`, String(index)]));
    }),
  ),
});

test('any message arrives as it was sent, and SQS can carry what it becomes', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      const content = toSqs(message);
      const attributes = Object.entries(content.MessageAttributes ?? {});
      expect(attributes.length).toBeLessThanOrEqual(10);
      for (const [name, { DataType, StringValue }] of attributes) {
        expect(name).toMatch(/^[A-Za-z0-9_.-]{1,256}$/);
        expect(name).not.toMatch(/^aws\.|^amazon\.|^\.|\.$|\.\./i);
        expect(DataType).toBe('String');
        expect(isText(StringValue!)).toBe(true);
      }
      expect(isText(content.MessageBody)).toBe(true);
      const delivery = received(content);
      expect([...delivery.body]).toEqual([...message.body]);
      expect(Object.entries(delivery.attributes).sort()).toEqual(Object.entries(message.attributes).sort());
    }),
    { numRuns: 1_000 },
  );
});

test('what SQS can carry is sent as it is, for any consumer to read', () => {
  const content = toSqs({
    body: Buffer.from('{"a":"ü😀"}'),
    attributes: { type: 'view', 'a.b': 'c d' },
    group: 'tenant',
  });
  expect(content).toEqual({
    MessageBody: '{"a":"ü😀"}',
    MessageAttributes: {
      type: { DataType: 'String', StringValue: 'view' },
      'a.b': { DataType: 'String', StringValue: 'c d' },
    },
    MessageGroupId: 'tenant',
  });
  // UTF-8 of the body, then names, types and values.
  expect(sizeOf(content)).toBe(14 + (4 + 6 + 4) + (3 + 6 + 3));
});

test('what others send is taken as it is: numbers, binary values, and what only looks like ours', () => {
  const delivery = received({
    MessageBody: 'not base64!',
    MessageAttributes: {
      number: { DataType: 'Number.int', StringValue: '0012.50' },
      binary: { DataType: 'Binary', BinaryValue: Uint8Array.of(0, 255) },
      'catchment-body': { DataType: 'String', StringValue: 'base64' },
      'catchment-attributes': { DataType: 'String', StringValue: '["a"]' },
    },
  });
  expect(Buffer.from(delivery.body).toString()).toBe('not base64!');
  expect(delivery).toMatchObject({
    id: 'id',
    receipt: 'receipt',
    sentAt: new Date(1_790_000_000_000),
    deliveries: 3,
    group: 'group',
    attributes: { number: '0012.50', binary: 'AP8=', 'catchment-attributes': '["a"]' },
  });
});

test('a service that does not say when a message was sent is named as what is wrong', () => {
  const message = { MessageId: 'id', ReceiptHandle: 'receipt', Body: 'SECRET' };
  for (const Attributes of [undefined, {}, { SentTimestamp: 'yesterday' }]) {
    const received = { ...message, ...(Attributes !== undefined && { Attributes }) };
    expect(() => toDelivery(received)).toThrow(/^the queue does not say when a message was sent/);
  }
});

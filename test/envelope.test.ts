import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';

import { bodyOf, cleanText, envelopeBytes, type Envelope } from '../src/envelope.js';
import { EnvelopeLines } from '../src/envelope-lines.js';
import type { RawEvent } from '../src/events.js';
import { anyBody, anyText, attributesOf } from './arbitraries.js';
import { encodeEnvelope } from './envelope-line.js';

const batch = '019a0000-0000-7000-8000-000000000000';
const sentAt = Date.UTC(2026, 10, 24, 12, 0, 0, 7);
const event = (body: Uint8Array | string, more: Partial<RawEvent> = {}): RawEvent => ({
  id: 'id',
  sentAt,
  attributes: {},
  body: typeof body === 'string' ? Buffer.from(body) : body,
  ...more,
});
const parsed = (raw: RawEvent): Envelope => JSON.parse(encodeEnvelope(raw, 'app', batch)) as Envelope;

test('an envelope says what the event is, in one line', () => {
  expect(encodeEnvelope(event('{"a":"ü"}', { attributes: { type: 'x' } }), 'app', batch)).toBe(
    `{"id":"id","sentAt":"2026-11-24T12:00:00.007Z","source":"app","batch":"${batch}","attributes":{"type":"x"},"body":"{\\"a\\":\\"ü\\"}"}`,
  );
});

test.each([
  ['nothing', ''],
  ['JSON', '{"a": 1.50}\r\n'],
  ['U+FFFE and U+FFFF', 'a\ufffe\uffff'],
  ['a replacement character that was sent as one', '\ufffd'],
  ['a byte order mark within', 'a\ufeff'],
  ['line separators', 'a\u2028b\u2029c\u0085d\n'],
  ['emoji and the last code point', '😀\u{10ffff}'],
])('keeps %s as text', (_what, body) => {
  expect(parsed(event(body))).toMatchObject({ body });
  expect(parsed(event(body)).bodyEncoding).toBeUndefined();
});

test.each([
  ['a byte order mark at the start', [0xef, 0xbb, 0xbf, 0x61]],
  ['a byte order mark alone', [0xef, 0xbb, 0xbf]],
  ['a NUL', [0x61, 0, 0x62]],
  ['a lone surrogate', [0xed, 0xa0, 0x80]],
  ['a surrogate pair as two', [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]],
  ['an overlong NUL', [0xc0, 0x80]],
  ['a code point beyond the last', [0xf4, 0x90, 0x80, 0x80]],
  ['a cut character', [0x61, 0xe2, 0x82]],
  ['Latin-1', [0x67, 0x72, 0xfc, 0xdf]],
])('carries %s as base64', (_what, bytes) => {
  const body = Buffer.from(bytes);
  expect(cleanText(body)).toBeUndefined();
  expect(parsed(event(body))).toMatchObject({ body: body.toString('base64'), bodyEncoding: 'base64' });
  expect(body.equals(bodyOf(parsed(event(body))))).toBe(true);
});

test('gives any event back byte for byte, the same line each time', () => {
  fc.assert(
    fc.property(anyText, attributesOf(anyText), anyBody, fc.nat({ max: 5 }), (id, attributes, bytes, at) => {
      // A view on a larger buffer, as the bodies of a packed message are.
      const body = Buffer.concat([Buffer.alloc(at, 'x'), bytes, Buffer.from('y')]).subarray(at, at + bytes.length);
      const line = encodeEnvelope(event(body, { id, attributes }), 'app', batch);
      // eslint-disable-next-line no-control-regex -- what any reader of lines could end one at
      expect(line).not.toMatch(/[\u0000-\u001f\u2028\u2029]|\p{Surrogate}/u);
      const envelope = JSON.parse(line) as Envelope;
      expect(Buffer.compare(bodyOf(envelope), bytes)).toBe(0);
      expect(envelope).toMatchObject({ id, source: 'app', batch, sentAt: '2026-11-24T12:00:00.007Z' });
      expect(Object.entries(envelope.attributes)).toEqual(Object.entries(attributes));
      expect(encodeEnvelope(event(bytes, { id, attributes }), 'app', batch)).toBe(line);
    }),
    { numRuns: 500 },
  );
});

test('is measured closely, and never too small, where nothing has to be escaped', () => {
  const plain = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '0'), maxLength: 300 });
  fc.assert(
    fc.property(fc.uuid(), plain, fc.dictionary(plain, plain, { maxKeys: 5 }), (id, body, attributes) => {
      const line = encodeEnvelope(event(body, { id, attributes }), 'github', batch);
      const estimate = envelopeBytes(body.length, attributes);
      expect(estimate).toBeGreaterThanOrEqual(line.length + 1);
      expect(estimate).toBeLessThan(line.length + 60);
    }),
  );
});

test('is read by DuckDB as it is, whatever the body', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'catchment-envelope-'));
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  try {
    const bodies = fc.sample(anyBody, 300);
    const lines = bodies.map((body, n) => encodeEnvelope(event(body, { id: `${n}` }), 'app', batch));
    await writeFile(join(folder, 'object.ndjson.gz'), gzipSync(`${lines.join('\n')}\n`));
    const reader = await connection.runAndReadAll(`SELECT id, body, "bodyEncoding" AS encoding
      FROM read_json('${folder}/object.ndjson.gz', format = 'newline_delimited', columns = {id: 'VARCHAR', "sentAt": 'TIMESTAMP',
        source: 'VARCHAR', batch: 'VARCHAR', attributes: 'JSON', body: 'VARCHAR', "bodyEncoding": 'VARCHAR'})`);
    const rows = reader.getRowObjects() as unknown as { id: string; body: string; encoding: 'base64' | null }[];
    expect(rows).toHaveLength(bodies.length);
    for (const { id, body, encoding } of rows) {
      const read = bodyOf({ body, ...(encoding === null ? {} : { bodyEncoding: encoding }) });
      expect({ id, read: Buffer.from(read).toString('hex') }).toEqual({
        id,
        read: Buffer.from(bodies[Number(id)]!).toString('hex'),
      });
    }
  } finally {
    connection.closeSync();
    database.closeSync();
    await rm(folder, { recursive: true });
  }
});

test('a clean body stands in its line as JSON.stringify writes it, wherever its bytes are cut', () => {
  // Every character that has an escape of its own, and the neighbours of those that end a line for some readers.
  const odd = [
    '"',
    '\\',
    '\b\t\n\f\r',
    '\u0001',
    '\u001f',
    '\u007f',
    '\u2027',
    '\u2028',
    '\u2029',
    '\u202a',
    'â',
    '€',
    '😀',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...odd), { maxLength: 20 }), fc.nat(24), (texts, shift) => {
      // Bodies are written in slices of 16 KB: the odd ones stand over the border.
      const body = `${'x'.repeat(16 * 1024 - shift)}${texts.join('')}${'y'.repeat(shift)}`;
      const separated = JSON.stringify(body).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
      expect(encodeEnvelope(event(body), 'app', batch)).toContain(`"body":${separated}}`);
    }),
  );
});

test('lines that were taken are not written over', () => {
  const lines = new EnvelopeLines('app', batch);
  lines.add(event('one'));
  const first = lines.take();
  const before = first.toString();
  lines.add(event('two'));
  expect(lines.take().toString()).toContain('two');
  expect(first.toString()).toBe(before);
  expect(lines.bytes).toBe(0);
});

import fc from 'fast-check';

import { newId } from '../src/ids.js';
import { objectKey, parseObjectKey } from '../src/keys.js';
import { decodeReference, encodeReference, type Reference } from '../src/references.js';

const sha256 = '0123456789abcdef'.repeat(4);
const batch = newId();
const good: Reference = {
  v: 1,
  pipeline: 'app',
  lake: 'file:///data/lake',
  key: objectKey({ source: 'app', batch, events: 3, hash: sha256.slice(0, 32) }),
  batch,
  sha256,
  events: 3,
  bytes: 1_234,
};
const decode = (value: unknown): Reference | undefined => decodeReference(Buffer.from(JSON.stringify(value)));

test('a reference comes back as it was sent, and is small', () => {
  expect(decodeReference(encodeReference(good))).toEqual(good);
  expect(encodeReference(good).length).toBeLessThan(1_000);
});

test('a view on a larger buffer is read by itself', () => {
  const bytes = Buffer.concat([Buffer.from('xx'), encodeReference(good), Buffer.from('yy')]);
  expect(decodeReference(bytes.subarray(2, -2))).toEqual(good);
});

test.each([
  ['nothing', ''],
  ['no JSON', 'x'],
  ['null', 'null'],
  ['a list', '[]'],
])('%s is no reference', (_what, text) => {
  expect(decodeReference(Buffer.from(text))).toBeUndefined();
});

test.each([
  ['of another version', { v: 2 }],
  ['with more in it', { more: 1 }],
  ['without a key', { key: undefined }],
  ['to a key outside the lake', { key: '../../etc/passwd' }],
  ['to a key that is no object’s', { key: 'load/1/rows.gz' }],
  ['whose batch is not its key’s', { batch: newId() }],
  ['whose count is not its key’s', { events: 4 }],
  ['whose hash is not its key’s', { sha256: 'f'.repeat(64) }],
  ['with half a hash', { sha256: sha256.slice(0, 32) }],
  ['with a broken count', { events: 1.5 }],
  ['with negative bytes', { bytes: -1 }],
  ['with a number as text', { bytes: '1234' }],
])('one %s is no reference', (_what, change) => {
  expect(decode(good)).toEqual(good);
  expect(decode({ ...good, ...change })).toBeUndefined();
});

test('no bytes whatever make it throw', () => {
  const encoded = encodeReference(good);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 }), (changes) => {
      const bytes = Buffer.from(encoded);
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
      const reference = decodeReference(bytes);
      if (reference === undefined) return;
      const { key, events, sha256: hash } = reference;
      expect(parseObjectKey(key)).toMatchObject({ batch: reference.batch, events, hash: hash.slice(0, 32) });
    }),
    { numRuns: 2_000 },
  );
});

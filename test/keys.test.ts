import fc from 'fast-check';

import { batchPrefix, hourPrefix, objectKey, parseObjectKey } from '../src/keys.js';
import { checkKey } from '../src/providers/lake-keys.js';

const batchAt = (time: number): string => {
  const hex = time.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7abc-8def-0123456789ab`;
};
const hash = '0123456789abcdef0123456789abcdef';
const good = `raw/app-eu/dt=2026-11-24/hr=13/${batchAt(Date.UTC(2026, 10, 24, 13, 59, 59, 999))}_42_${hash}.ndjson.gz`;

const name = fc.record({
  source: fc.stringMatching(/^[a-z0-9-]{1,40}$/),
  batch: fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }).map(batchAt),
  events: fc.nat(),
  hash: fc.stringMatching(/^[0-9a-f]{32}$/),
});

test('a key says all of its object, and takes no key that a lake refuses', () => {
  fc.assert(
    fc.property(name, (object) => {
      const key = objectKey(object);
      expect(parseObjectKey(key)).toEqual(object);
      expect(key.startsWith(batchPrefix(object.source, object.batch))).toBe(true);
      checkKey(key);
    }),
  );
});

test('a key lies in the hour, UTC, in which its batch closed', () => {
  expect(objectKey(parseObjectKey(good)!)).toBe(good);
  expect(hourPrefix('app', Date.UTC(2026, 0, 1))).toBe('raw/app/dt=2026-01-01/hr=00/');
  expect(hourPrefix('app', Date.UTC(2026, 0, 1) - 1)).toBe('raw/app/dt=2025-12-31/hr=23/');
});

test('keys of one source come in the order of their batches', () => {
  fc.assert(
    fc.property(name, name, (a, b) => {
      const [first, second] = [objectKey({ ...a, source: 'app' }), objectKey({ ...b, source: 'app' })];
      if (a.batch !== b.batch) expect(first < second).toBe(a.batch < b.batch);
    }),
  );
});

test.each([
  ['nothing', ''],
  ['the wrong hour', good.replace('hr=13', 'hr=14')],
  ['the wrong day', good.replace('11-24', '11-25')],
  ['no day at all', good.replace('2026-11-24', '2026-99-99')],
  ['a count with a zero before it', good.replace('_42_', '_042_')],
  ['a count beyond all numbers', good.replace('_42_', '_99999999999999999999_')],
  ['a short hash', good.replace(hash, hash.slice(1))],
  ['a hash in capitals', good.replace(hash, hash.toUpperCase())],
  ['a source that none is', good.replace('app-eu', 'App')],
  ['a source too long', good.replace('app-eu', 'a'.repeat(41))],
  ['another root', good.replace('raw', 'load')],
  ['something before', `x${good}`],
  ['something behind', `${good}.tmp`],
  ['a line feed behind', `${good}\n`],
])('a key with %s is none of ours', (_what, key) => {
  expect(parseObjectKey(key)).toBeUndefined();
});

test('no other text is taken for a key', () => {
  fc.assert(
    fc.property(fc.nat({ max: good.length - 1 }), fc.string({ maxLength: 2 }), fc.nat({ max: 2 }), (at, text, cut) => {
      const changed = good.slice(0, at) + text + good.slice(at + cut);
      const object = parseObjectKey(changed);
      if (object !== undefined) expect(objectKey(object)).toBe(changed);
    }),
    { numRuns: 1_000 },
  );
});

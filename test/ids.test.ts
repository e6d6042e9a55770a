import fc from 'fast-check';

import { newId, timeOfId } from '../src/ids.js';

const idAt = (time: number, rest = '7000-8000-000000000000'): string => {
  const hex = time.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-${rest}`;
};

test('a new id carries this moment, and comes after all before it', () => {
  const before = Date.now();
  const ids = Array.from({ length: 20_000 }, newId);
  const after = Date.now();
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
  // The counter within a millisecond may run ahead of the clock by a little.
  expect(timeOfId(ids[0]!)).toBeGreaterThanOrEqual(before);
  expect(timeOfId(ids.at(-1)!)).toBeLessThanOrEqual(after + 10);
});

test('any time of 48 bits is read as it was written, in small letters or capitals', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (time) => {
      expect(timeOfId(idAt(time))).toBe(time);
      expect(timeOfId(idAt(time).toUpperCase())).toBe(time);
    }),
  );
});

test.each([
  ['another version', idAt(1, '4000-8000-000000000000')],
  ['another variant', idAt(1, '7000-c000-000000000000')],
  ['no dashes', idAt(1).replaceAll('-', '')],
  ['braces', `{${idAt(1)}}`],
  ['a line feed behind', `${idAt(1)}\n`],
  ['a letter beyond f', idAt(1).replace(/^0/, 'g')],
  ['nothing', ''],
])('an id of %s has no time', (_what, id) => {
  expect(timeOfId(id)).toBeUndefined();
});

import fc from 'fast-check';

import { describeDuration, milliseconds } from '../src/durations.js';
import { ConfigError } from '../src/errors.js';

test.each([
  ['500ms', 500],
  ['90s', 90_000],
  ['10m', 600_000],
  ['12h', 43_200_000],
  ['3d', 259_200_000],
  ['1.5s', 1_500],
  ['0s', 0],
  ['0.0004s', 0],
  ['36500d', 3_153_600_000_000],
])('%s is %d ms', (text, ms) => {
  expect(milliseconds(text, 'freshness')).toBe(ms);
});

test.each([
  '',
  '5',
  's',
  '-1s',
  '+1s',
  '1 s',
  ' 1s',
  '1s ',
  '1S',
  '1e3s',
  '.5s',
  '5.s',
  '1w',
  '1s\n',
  '١s',
  'Infinityd',
  '36501d',
  `${'9'.repeat(400)}s`,
])('%j is refused, by the name of the setting', (text) => {
  expect(() => milliseconds(text, 'freshness')).toThrow(ConfigError);
  expect(() => milliseconds(text, 'freshness')).toThrow(/^freshness: /);
});

test('is a whole number of milliseconds, whatever is written', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat({ max: 999 }), fc.constantFrom('ms', 's', 'm', 'h'), (whole, part, unit) => {
      expect(Number.isSafeInteger(milliseconds(`${whole % 10_000}.${part}${unit}`, 'x'))).toBe(true);
    }),
  );
});

test.each([
  [0, '0 ms'],
  [999.4, '999 ms'],
  [999.6, '1 s'],
  [1_000, '1 s'],
  [119_000, '119 s'],
  [120_000, '2 min'],
  [7_200_000, '2 h'],
  [172_800_000, '2 d'],
])('%d ms is for people %s', (ms, text) => {
  expect(describeDuration(ms)).toBe(text);
});

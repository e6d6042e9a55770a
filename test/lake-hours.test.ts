import { hourOf, writeHour } from '../src/lake-hours.js';

test.each([
  ['2026-11-24T13', Date.UTC(2026, 10, 24, 13)],
  ['2026-11-24', Date.UTC(2026, 10, 24)],
  ['2026-11-24T13:00', Date.UTC(2026, 10, 24, 13)],
  ['2026-11-24T13:00:00Z', Date.UTC(2026, 10, 24, 13)],
])('%s is an hour of the lake', (text, time) => {
  expect(hourOf(text)).toBe(time);
  expect(hourOf(writeHour(time))).toBe(time);
});

test.each([
  '',
  'yesterday',
  '2026-02-30',
  '2026-11-24T24',
  '2026-11-24T13:30',
  '2026-11-24 13',
  '1764000000000',
  '2026-11',
])('%j is none', (text) => {
  expect(hourOf(text)).toBeUndefined();
});

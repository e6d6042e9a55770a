import { count, counted, megabytes } from '../src/amounts.js';

test.each([
  [0, '0'],
  [7, '7'],
  [999, '999'],
  [1_000, '1,000'],
  [4_213, '4,213'],
  [1_234_567, '1,234,567'],
  [-1_000, '-1,000'],
  [-100, '-100'],
])('%d is counted %s', (n, text) => {
  expect(count(n)).toBe(text);
});

test.each([
  [0, '0.0 MB'],
  [1, '< 0.1 MB'],
  [49_999, '< 0.1 MB'],
  [50_000, '0.1 MB'],
  [3_140_000, '3.1 MB'],
  [9_960_000, '10.0 MB'],
  [1_234_567_890, '1,234.6 MB'],
])('%d bytes are %s', (bytes, text) => {
  expect(megabytes(bytes)).toBe(text);
});

test.each([
  [0, '0 events'],
  [1, '1 event'],
  [4_213, '4,213 events'],
])('%d with their noun are %s', (n, text) => {
  expect(counted(n, 'event')).toBe(text);
});

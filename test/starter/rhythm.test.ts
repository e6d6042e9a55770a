import { rhythmOf } from '../../src/starter/rhythm.js';

test('of a long freshness a third and a half are spent on waiting', () => {
  const { lingerMs, cadenceMs } = rhythmOf(60_000, { everyMs: 200 });
  expect(lingerMs).toBeCloseTo(60_000 / 3, -3);
  expect(cadenceMs).toBeCloseTo(60_000 / 2, -3);
});

test('of a short one, batches take what is left beside the work, and no load waits for another between them', () => {
  const { lingerMs, cadenceMs } = rhythmOf(1_000, { everyMs: 200 });
  expect(lingerMs).toBeLessThanOrEqual(500);
  expect(cadenceMs).toBeLessThan(lingerMs);
  expect(rhythmOf(100, { everyMs: 0 }).lingerMs).toBe(50);
});

test('a warehouse that wants few loads is not asked for more', () => {
  expect(rhythmOf(1_000, { everyMs: 30_000 }).cadenceMs).toBe(30_000);
});

import { rhythmOf } from '../../src/starter/rhythm.js';

test('of a long freshness a third and a half are spent on waiting, of a short one what the work leaves', () => {
  const cloud = rhythmOf(60_000, { everyMs: 200 });
  expect(cloud.spacingMs).toBeCloseTo(60_000 / 3, -3);
  expect(cloud.cadenceMs).toBeCloseTo(60_000 / 2, -3);
  const embedded = rhythmOf(1_000, { everyMs: 200 });
  expect(embedded.spacingMs + embedded.cadenceMs).toBeLessThan(400);
});

test('a warehouse that wants few loads is not asked for more, and no freshness makes a batch of every event', () => {
  expect(rhythmOf(1_000, { everyMs: 30_000 }).cadenceMs).toBe(30_000);
  expect(rhythmOf(100, { everyMs: 0 }).spacingMs).toBe(50);
});

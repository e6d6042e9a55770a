import fc from 'fast-check';

import type { BatchRange, ObjectToLoad } from '../../src/activities/types.js';
import { newId, timeOfId } from '../../src/ids.js';
import { addRange, nearMs, rangeOf } from '../../src/workflows/ranges.js';

const range = fc
  .record({ from: fc.nat(1_000), length: fc.integer({ min: 1, max: 100 }), owed: fc.boolean() })
  .map(({ from, length, owed }): BatchRange => ({ from, to: from + length, owed }));

function covers(ranges: readonly BatchRange[], time: number, owed: boolean): boolean {
  return ranges.some((each) => each.owed === owed && each.from <= time && time < each.to);
}

test('ranges that are added cover all that was asked for, are few, and never touch', () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 60 }), (added) => {
      const ranges = added.reduce<readonly BatchRange[]>((all, one) => addRange(all, one), []);
      expect(ranges.length).toBeLessThanOrEqual(20);
      for (const { from, to, owed } of added) {
        for (const time of [from, to - 1]) expect(covers(ranges, time, owed)).toBe(true);
      }
      for (const one of ranges)
        for (const other of ranges) {
          const apart = one === other || one.owed !== other.owed || one.to < other.from || other.to < one.from;
          expect(apart).toBe(true);
        }
    }),
  );
});

test('while they are few, nothing more is covered than was asked for', () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 20 }), fc.nat(1_200), fc.boolean(), (added, time, owed) => {
      const ranges = added.reduce<readonly BatchRange[]>((all, one) => addRange(all, one), []);
      expect(covers(ranges, time, owed)).toBe(covers(added, time, owed));
    }),
  );
});

test('what is handed over load by load becomes one range; what is asked for by hours does not', () => {
  const loads = Array.from({ length: 15 }, (_, n): BatchRange => ({
    from: n * 60_000,
    to: n * 60_000 + 1,
    owed: false,
  }));
  const together = loads.reduce<readonly BatchRange[]>((all, one) => addRange(all, one, nearMs), []);
  expect(together).toEqual([{ from: 0, to: 14 * 60_000 + 1, owed: false }]);
  const hour = 3_600_000;
  const hours = [0, 2, 1.5].map((from): BatchRange => ({ from: from * hour, to: from * hour + hour / 2, owed: false }));
  const asked = hours.reduce<readonly BatchRange[]>((all, one) => addRange(all, one, nearMs), []);
  expect(asked.map(({ from, to }) => [from / hour, to / hour])).toEqual([
    [0, 0.5],
    [1.5, 2.5],
  ]);
});

test('the range of objects just holds their batches', () => {
  const objects = Array.from({ length: 5 }, (): ObjectToLoad => {
    return { key: '', source: 'app', batch: newId(), events: 1, sha256: '' };
  });
  const times = objects.map(({ batch }) => timeOfId(batch)!);
  expect(rangeOf(objects)).toEqual({ from: Math.min(...times), to: Math.max(...times) + 1, owed: false });
});

import fc from 'fast-check';

import { backfillModes, type BackfillMode } from '../../src/activities/types.js';
import {
  describe as describeState,
  nextMode,
  nothing,
  restored,
  withAsked,
  withoutWork,
  withWork,
  type BackfillAsk,
  type BackfillState,
} from '../../src/workflows/backfill-state.js';

const now = Date.UTC(2026, 10, 24, 13, 30);
const asked = (...asks: BackfillAsk[]): BackfillState =>
  asks.reduce<BackfillState>((state, ask) => withAsked(state, ask, now), nothing);
const rangesOf = (state: BackfillState, mode: BackfillMode) => state.works[mode]?.ranges;

test('what is asked for without hours is all that the table owes, up to now', () => {
  expect(rangesOf(asked({}), 'missing')).toEqual([{ from: 0, to: now + 1, owed: true }]);
  expect(rangesOf(asked({ mode: 'replace' }), 'replace')).toEqual([{ from: 0, to: now + 1, owed: true }]);
});

test('hours mean all that is in them', () => {
  const hours = { from: '2026-11-24T10', to: '2026-11-24T11' };
  const range = { from: Date.UTC(2026, 10, 24, 10), to: Date.UTC(2026, 10, 24, 11), owed: false };
  expect(rangesOf(asked(hours), 'missing')).toEqual([range]);
  expect(rangesOf(asked({ ...hours, from: range.from, to: range.to }), 'missing')).toEqual([range]);
});

test('the moment of the asking is kept where what comes later is not meant', () => {
  const before = new Date(now).toISOString();
  expect(rangesOf(asked({ mode: 'rejected', reason: 'price' }), 'rejected')).toMatchObject([
    { before, reason: 'price' },
  ]);
  expect(rangesOf(asked({ mode: 'replace', again: true }), 'replace')).toMatchObject([{ before }]);
  expect(rangesOf(asked({ mode: 'replace' }), 'replace')![0]).not.toHaveProperty('before');
});

test('two reasons are two ranges, and one that is of all takes up neither', () => {
  const state = asked({ mode: 'rejected', reason: 'a' }, { mode: 'rejected', reason: 'b' }, { mode: 'rejected' });
  expect(rangesOf(state, 'rejected')!.map(({ reason }) => reason)).toEqual(['a', 'b', undefined]);
});

test('of two versions the higher one counts', () => {
  expect(asked({ mode: 'replace', version: 3 }, { mode: 'replace', version: 2 }).works.replace!.version).toBe(3);
});

test.each([
  [{ mode: 'rebuild' as BackfillMode }, 'mode "rebuild"'],
  [{ from: 'yesterday' }, 'from and to are hours'],
  [{ from: 1.5 }, 'from and to are hours'],
  [{ from: '2026-11-25', to: '2026-11-24' }, 'is not before'],
  [{ mode: 'replace' as const, version: 0 }, 'version'],
  [{ mode: 'rejected' as const, reason: 'x'.repeat(2_000) }, 'reason'],
  [{ mode: 'rejected' as const, reason: 7 as unknown as string }, 'reason'],
])('%j is not understood, and changes nothing else', (ask, said) => {
  const state = withAsked(asked({}), ask, now);
  expect(state.notUnderstood).toContain(said);
  expect(state.works).toEqual(asked({}).works);
});

test('what is missing comes first, then what was rejected, then what is made anew', () => {
  let state = asked({ mode: 'replace' }, { mode: 'rejected' }, {});
  for (const mode of backfillModes) {
    expect(nextMode(state)).toBe(mode);
    state = withoutWork(state, [mode]);
  }
  expect(nextMode(state)).toBeUndefined();
});

test('the work of a mode that was cancelled meanwhile does not come back', () => {
  expect(withWork(nothing, 'replace', { found: 3 })).toEqual(nothing);
});

test('a run of before, which knew what is missing alone, goes on where it was', () => {
  const ranges = [{ from: 1, to: 2, owed: false }];
  const after = { source: 'app', key: 'raw/app/…' };
  const { works: _, ...rest } = { ...nothing, objects: 7, passes: 2 };
  const state = restored({ ...rest, ranges, range: 0, after, found: 3, widened: true });
  expect(state).toEqual({
    ...nothing,
    objects: 7,
    passes: 2,
    works: { missing: { ranges, range: 0, after, found: 3, widened: true } },
  });
  expect(restored(state)).toEqual(state);
});

test('however much is asked for, and however much fails, the state is far below what a payload may have', () => {
  const ask = fc.record({
    mode: fc.constantFrom(...backfillModes),
    from: fc.integer({ min: 0, max: now - 1 }),
    to: fc.constant(now),
    reason: fc.constantFrom('x', 'y'.repeat(200), 'z'.repeat(199)),
    again: fc.boolean(),
  });
  const key = `raw/${'s'.repeat(40)}/dt=2026-11-24/hr=13/01a217f5-b98c-74e8-8355-f1f0edb5fba8_1000000_${'a'.repeat(32)}.ndjson.gz`;
  const full = {
    failed: Array.from({ length: 80 }, () => ({ key, error: 'e'.repeat(200) })),
    unreadable: Array.from({ length: 80 }, () => key),
  };
  fc.assert(
    fc.property(fc.array(ask, { minLength: 80, maxLength: 200 }), (asks) => {
      const state = { ...asked(...asks), ...full };
      expect(JSON.stringify(state).length).toBeLessThan(64_000);
      expect(describeState('visits', state).length).toBeLessThanOrEqual(8_000);
    }),
    { numRuns: 20 },
  );
});

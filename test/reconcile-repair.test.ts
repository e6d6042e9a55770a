import { hoursOf, repairsOf } from '../src/reconcile/repair.js';
import type { Reconciliation } from '../src/reconcile/reconcile.js';

test('what is made anew is what the table owes or once had, so that no history is loaded that nobody asked for', () => {
  const within = { from: '2026-01-02T03:04:05.678Z', to: '2026-11-24T13:00:00.000Z' };
  const tables = { visits: { version: 2, identities: { within } }, even: { version: 1, identities: {} } };
  const repairs = repairsOf({ report: { tables }, gaps: [] } as unknown as Reconciliation);
  const [from, to] = [Date.parse(within.from), Date.parse(within.to) + 1];
  expect(repairs).toEqual([
    { table: 'visits', ask: { mode: 'replace', again: true, version: 2, from, to, owed: true } },
  ]);
  expect(hoursOf(repairs[0]!.ask)).toBe('2026-01-02T03 to 2026-11-24T13');
});

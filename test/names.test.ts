import { isComparison } from '../src/names.js';

test('a comparison belongs to the pipeline whose name it bears in full', () => {
  expect(isComparison('app', 'reconcile/app-2026-11-24T12:00:00Z')).toBe(true);
  expect(isComparison('app', 'reconcile/app/start')).toBe(true);
  expect(isComparison('app', 'reconcile/app-eu-2026-11-24T12:00:00Z')).toBe(false);
  expect(isComparison('app-eu', 'reconcile/app-eu-2026-11-24T12:00:00Z')).toBe(true);
  expect(isComparison('app', 'reconcile/app-eu/start')).toBe(false);
  expect(isComparison('app', 'load/app/1')).toBe(false);
});

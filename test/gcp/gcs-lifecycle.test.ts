import type { LifecycleRule } from '@google-cloud/storage';

import { isMet, reachesLive, ruleOf, wantedRules } from '../../src/providers/gcp/gcs-lifecycle.js';

type Condition = LifecycleRule['condition'];

const { load, noncurrent } = wantedRules({ prefix: 'app/' });
const deleting = (condition: Condition): LifecycleRule => ({ action: { type: 'Delete' }, condition });

describe('a rule of a bucket does what is wanted', () => {
  test('of ours, each its own', () => {
    expect(isMet([ruleOf(load)], load)).toBe(true);
    expect(isMet([ruleOf(noncurrent)], noncurrent)).toBe(true);
    expect(isMet([ruleOf(load)], noncurrent)).toBe(false);
    expect(isMet([ruleOf(noncurrent)], load)).toBe(false);
    const whole = wantedRules({ prefix: '' });
    expect(ruleOf(whole.noncurrent).condition).toEqual({ daysSinceNoncurrentTime: 30 });
    expect(isMet([ruleOf(whole.noncurrent)], noncurrent)).toBe(true);
  });

  test.each<[string, Condition, boolean]>([
    ['for the whole bucket', { age: 3 }, true],
    ['for the whole bucket, by no prefix', { age: 3, matchesPrefix: [] }, true],
    ['for several prefixes', { age: 3, matchesPrefix: ['x/', 'app/'] }, true],
    ['on a date', { createdBefore: '2026-01-01', matchesPrefix: ['app/load/'] }, true],
    ['live alone', { age: 3, isLive: true }, true],
    ['of a part of it', { age: 3, matchesPrefix: ['app/load/0'] }, false],
    ['beside it', { age: 3, matchesPrefix: ['web/load/'] }, false],
    ['by suffix', { age: 3, matchesSuffix: ['.gz'] }, false],
    ['by class', { age: 3, matchesStorageClass: ['STANDARD'] }, false],
    ['of old versions', { age: 3, isLive: false }, false],
    ['that have newer versions', { age: 3, numNewerVersions: 1 }, false],
    ["by the user's own time", { age: 3, daysSinceCustomTime: 1 }, false],
  ])('%s', (_, condition, expected) => {
    expect(isMet([deleting(condition)], load)).toBe(expected);
    expect(isMet([{ action: { type: 'SetStorageClass', storageClass: 'NEARLINE' }, condition }], load)).toBe(false);
  });
});

test.each<[string, Condition, boolean]>([
  ['the whole bucket', { age: 3 }, true],
  ['what lies above', { age: 3, matchesPrefix: ['app/r'] }, true],
  ['a part of it', { age: 3, matchesPrefix: ['x/', 'app/raw/web/'] }, true],
  ['a class', { age: 3, matchesStorageClass: ['STANDARD'] }, true],
  ['live objects', { age: 3, isLive: true }, true],
  ['names like those of events', { age: 3, matchesSuffix: ['.json', '.gz'] }, true],
  ['some events by their hash', { age: 3, matchesSuffix: ['0.ndjson.gz'] }, true],
  ['names of another kind', { age: 3, matchesSuffix: ['.json'] }, false],
  ['other objects', { age: 3, matchesPrefix: ['app/load/'] }, false],
  ['old versions', { age: 3, isLive: false }, false],
  ['old versions by number', { numNewerVersions: 3 }, false],
  ['old versions by day', { noncurrentTimeBefore: '2026-01-01' }, false],
  ["what has a time of the user's own, as nothing of ours has", { customTimeBefore: '2026-01-01' }, false],
])('a rule for %s reaches events: %j: %s', (_, condition, expected) => {
  expect(reachesLive(deleting(condition), 'app/raw/')).toBe(expected);
});

import type { LifecycleRule } from '@aws-sdk/client-s3';

// Buckets have rules in the old way, with a prefix and no filter.
/* eslint-disable @typescript-eslint/no-deprecated */
import { isMet, modern, reaches, ruleOf, wantedRules } from '../../src/providers/aws/s3-lifecycle.js';
import { bucketAt } from './s3-lakes.js';

const { load, noncurrent, uploads } = wantedRules(bucketAt('http://127.0.0.1:1', { prefix: 'app/' }));
const expiring = (more: Partial<LifecycleRule>): LifecycleRule => ({
  Status: 'Enabled',
  Expiration: { Days: 3 },
  ...more,
});

describe('a rule of a bucket does what is wanted', () => {
  test('of ours, each its own', () => {
    for (const wanted of [load, noncurrent, uploads]) {
      expect(isMet([ruleOf(wanted)], wanted)).toBe(true);
      for (const other of [load, noncurrent, uploads].filter((one) => one !== wanted))
        expect(isMet([ruleOf(other)], wanted)).toBe(false);
    }
  });

  test.each([
    ['for the whole bucket', { Filter: { Prefix: '' } }, true],
    ['for the whole bucket, without a filter', {}, true],
    ['in the old way', { Prefix: 'app/' }, true],
    ['on a date', { Expiration: { Date: new Date() }, Filter: { Prefix: 'app/load/' } }, true],
    ['of a part of it', { Filter: { Prefix: 'app/load/0' } }, false],
    ['beside it', { Filter: { Prefix: 'web/load/' } }, false],
    ['by size', { Filter: { ObjectSizeGreaterThan: 1 } }, false],
    ['by prefix and size', { Filter: { And: { Prefix: 'app/', ObjectSizeLessThan: 1 } } }, false],
    ['by tag', { Filter: { Tag: { Key: 'a', Value: 'b' } } }, false],
    ['switched off', { Status: 'Disabled' }, false],
    ['of markers alone', { Expiration: { ExpiredObjectDeleteMarker: true } }, false],
  ] satisfies [string, Partial<LifecycleRule>, boolean][])('%s', (_, more, expected) => {
    expect(isMet([expiring(more)], load)).toBe(expected);
  });
});

test.each([
  ['the whole bucket', {}, true],
  ['what lies above', { Filter: { Prefix: 'app/r' } }, true],
  ['a part of it', { Filter: { Prefix: 'app/raw/web/' } }, true],
  ['by size', { Filter: { And: { Prefix: 'app/', ObjectSizeGreaterThan: 1 } } }, true],
  [
    'what has a tag, as nothing of ours has',
    { Filter: { And: { Prefix: '', Tags: [{ Key: 'a', Value: 'b' }] } } },
    false,
  ],
  ['other objects', { Filter: { Prefix: 'app/load/' } }, false],
  ['nothing', { Status: 'Disabled' }, false],
] satisfies [string, Partial<LifecycleRule>, boolean][])(
  'a rule for %s reaches events: %j: %s',
  (_, more, expected) => {
    expect(reaches(expiring(more), 'app/raw/')).toBe(expected);
  },
);

test('a rule in the old way can stand beside ours', () => {
  const { Prefix: _, ...rest } = expiring({ Prefix: 'x/' });
  expect(modern(expiring({ Prefix: 'x/' }))).toEqual({ ...rest, Filter: { Prefix: 'x/' } });
  expect(modern(expiring({ Filter: { Prefix: 'x/' } }))).toEqual(expiring({ Filter: { Prefix: 'x/' } }));
});

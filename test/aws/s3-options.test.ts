import { defineConfig } from '../../src/config/define.js';
import { ConfigError, s3, type S3Options } from '../../src/index.js';

const place = { pipeline: 'app', dataDir: '.catchment', part: 'lake' };
const lakeOf = (options: unknown) => s3(options as S3Options);
const problemOf = (options: unknown): string =>
  (lakeOf(options).problems ?? []).map(({ path, message }) => `${path}: ${message}`).join('\n');

describe('the options of s3', () => {
  test.each([
    [{ bucket: 'events' }, 's3://events'],
    [{ bucket: 'my.events-1', prefix: '' }, 's3://my.events-1'],
    [{ bucket: 'events', prefix: 'app' }, 's3://events/app'],
    [{ bucket: 'events', prefix: 'app/eu/', region: undefined }, 's3://events/app/eu'],
    [{ bucket: 'events', endpoint: 'http://127.0.0.1:8333', pathStyle: false }, 's3://events'],
    [{ bucket: 'events', encryption: 's3', region: 'eu-west-1' }, 's3://events'],
    [{ bucket: 'events', encryption: { kmsKeyId: 'arn:aws:kms:eu-west-1:1:key/a-b' } }, 's3://events'],
    [{ bucket: 'events', encryption: {} }, 's3://events'],
  ])('%j names %s', (options, uri) => {
    const provider = lakeOf(options);
    expect(provider).toMatchObject({ name: 's3', problems: [] });
    expect(provider.embedded).toBeUndefined();
    expect(provider.open(place).uri).toBe(uri);
  });

  test.each([
    [{}, /^bucket: an S3 lake needs a bucket/],
    [undefined, /^: are no options of S3/],
    [{ bucket: 'My_Events' }, /^bucket: is no name of a bucket/],
    [{ bucket: 'events--euw1-az1--x-s3' }, /^bucket: is a directory bucket/],
    [{ bucket: 'events', prefix: '/app' }, /^prefix: is no prefix/],
    [{ bucket: 'events', prefix: 'a//b' }, /^prefix/],
    [{ bucket: 'events', prefix: 'a/../b' }, /^prefix/],
    [{ bucket: 'events', prefix: 'a b' }, /^prefix/],
    [{ bucket: 'events', region: 'EU' }, /^region/],
    [{ bucket: 'events', endpoint: '127.0.0.1:8333' }, /^endpoint/],
    [{ bucket: 'events', endpoint: 'http://user:SECRET@127.0.0.1' }, /^endpoint/],
    [{ bucket: 'events', pathStyle: 'yes' }, /^pathStyle: write true or false/],
    [{ bucket: 'events', encryption: 'kms' }, /^encryption: is no encryption/],
    [{ bucket: 'events', encryption: { key: 'a' } }, /^encryption/],
    [{ bucket: 'events', buckets: 'events' }, /^buckets: there is no such setting; write one of bucket, prefix/],
  ])('%j are a mistake', (options, expected) => {
    const problem = problemOf(options);
    expect(problem).toMatch(expected);
    expect(problem).not.toContain('SECRET');
    expect(problem.split('\n')).toHaveLength(1);
    expect(() => lakeOf(options).open(place)).toThrow(ConfigError);
  });

  test('are told of with all other mistakes of the config, by the names that it gives them', () => {
    const bad = lakeOf({ bucket: 'B' });
    const { problems } = defineConfig({ pipeline: 'app', tables: [], lake: bad, staging: bad });
    expect(problems.map(({ path }) => path)).toEqual(['lake.bucket', 'staging.bucket']);
    expect(() => bad.open({ ...place, part: 'staging' })).toThrow(/^staging\.bucket: is no name/);
  });
});

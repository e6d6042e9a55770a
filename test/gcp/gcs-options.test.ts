import { defineConfig } from '../../src/config/define.js';
import { ConfigError, gcs, type GcsOptions } from '../../src/index.js';

const place = { pipeline: 'app', dataDir: '.catchment', part: 'lake' };
const lakeOf = (options: unknown) => gcs(options as GcsOptions);
const problemOf = (options: unknown): string =>
  (lakeOf(options).problems ?? []).map(({ path, message }) => `${path}: ${message}`).join('\n');
const key = 'projects/my-project/locations/europe-west1/keyRings/ring/cryptoKeys/key_1';

describe('the options of gcs', () => {
  test.each([
    [{ bucket: 'events' }, 'gs://events'],
    [{ bucket: 'my_events-1', prefix: '' }, 'gs://my_events-1'],
    [{ bucket: 'events.example.com', prefix: 'app' }, 'gs://events.example.com/app'],
    [{ bucket: 'events', prefix: 'app/eu/', location: undefined }, 'gs://events/app/eu'],
    [{ bucket: 'events', endpoint: 'http://127.0.0.1:4443' }, 'gs://events'],
    [
      { bucket: 'events', location: 'EU', projectId: 'example.com:my-project', storageClass: 'NEARLINE' },
      'gs://events',
    ],
    [{ bucket: 'events', kmsKeyName: key }, 'gs://events'],
  ])('%j names %s', (options, uri) => {
    const provider = lakeOf(options);
    expect(provider).toMatchObject({ name: 'gcs', problems: [] });
    expect(provider.embedded).toBeUndefined();
    expect(provider.open(place).uri).toBe(uri);
  });

  test.each([
    [{}, /^bucket: a lake on Google Cloud Storage needs a bucket/],
    [undefined, /^: are no options of Google Cloud Storage/],
    [{ bucket: 'My_Events' }, /^bucket: is no name of a bucket/],
    [{ bucket: 'x'.repeat(64) }, /^bucket/],
    [{ bucket: 'a..b' }, /^bucket/],
    [{ bucket: 'google-events' }, /^bucket/],
    [{ bucket: '192.168.5.4' }, /^bucket/],
    [{ bucket: 'events', prefix: '/app' }, /^prefix: is no prefix/],
    [{ bucket: 'events', prefix: 'a/../b' }, /^prefix/],
    [{ bucket: 'events', projectId: 'My Project' }, /^projectId: is no project/],
    [{ bucket: 'events', location: 'europe west' }, /^location: is no location/],
    [{ bucket: 'events', storageClass: 'GLACIER' }, /^storageClass: write STANDARD/],
    [{ bucket: 'events', kmsKeyName: 'my-key' }, /^kmsKeyName: is no key/],
    [{ bucket: 'events', endpoint: '127.0.0.1:4443' }, /^endpoint: is no endpoint/],
    [{ bucket: 'events', endpoint: 'http://user:SECRET@127.0.0.1' }, /^endpoint/],
    [{ bucket: 'events', region: 'EU' }, /^region: there is no such setting; write one of bucket, prefix/],
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

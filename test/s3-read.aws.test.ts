import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';

import { v7 } from 'uuid';

import { LakeNotFound } from '../src/errors.js';
import { hourPrefix, keyBefore, objectKey } from '../src/keys.js';

import type { Bucket } from '../src/providers/aws/s3-bucket.js';
import { S3Lake } from '../src/providers/aws/s3.js';
import { byBytes, expectBody, inParallel, keysOf } from './contract/objects.js';
import { FaultyStore, refusal } from './s3-faults.js';
import { bucketAt, failureOf, newLake, removeBuckets, upstream } from './s3-lakes.js';
import { until } from './until.js';

const suite = upstream === undefined ? describe.skip : describe;

suite('reading from a store that fails', () => {
  let store: FaultyStore;
  let lake: S3Lake;
  /** The same lake, for what never answers. */
  let impatient: S3Lake;
  let bucket: Bucket;
  beforeAll(async () => {
    store = await FaultyStore.before(upstream!);
    ({ lake, bucket } = await newLake(store.endpoint));
    impatient = new S3Lake(bucketAt(store.endpoint, { bucket: bucket.name }, { longestMs: 20_000, silenceMs: 500 }));
  });
  beforeEach(() => store.calm());
  afterAll(async () => {
    await removeBuckets();
    await store.close();
  });

  const a = Buffer.from('the bytes of a');
  describe('a get', () => {
    const body = randomBytes(3_000_000);
    beforeEach(async () => {
      await lake.put('raw/body', body);
      store.calm();
    });

    test.each(['cut body', 'stalled body', 'changed body'] as const)(
      'with a %s never ends as if whole',
      async (fault) => {
        store.fault = () => fault;
        await failureOf((fault === 'stalled body' ? impatient : lake).get('raw/body').then(buffer));
        store.calm();
        await expectBody(lake, 'raw/body', body);
      },
    );

    test('of which nothing or a part is read gives its connection back', async () => {
      const before = await store.connections();
      for (let n = 0; n < 10; n++) {
        await impatient.get('raw/body');
        for await (const _ of await impatient.get('raw/body')) break;
      }
      await until('connections given back', async () => (await store.connections()) <= before);
      await expectBody(impatient, 'raw/body', body);
    });

    test('calls no object gone that is out of reach', async () => {
      for (const [status, code] of [
        [403, 'AccessDenied'],
        [404, 'NoSuchBucket'],
        [301, 'PermanentRedirect'],
        [400, 'ExpiredToken'],
      ] as const) {
        store.fault = () => refusal(status, code);
        expect((await failureOf(lake.get('raw/body'))).message).toContain(code);
      }
      store.fault = () => refusal(404, 'NoSuchKey');
      await expect(lake.get('raw/body')).rejects.toBeInstanceOf(LakeNotFound);
    });

    test('names the region that the bucket is in', async () => {
      const headers = { 'x-amz-bucket-region': 'eu-west-1' };
      store.fault = () => ({ status: 301, body: '<Error><Code>PermanentRedirect</Code></Error>', headers });
      expect((await failureOf(lake.get('raw/body'))).message).toContain("name the region 'eu-west-1'");
    });
  });

  test('a listing never ends at a page that fails, and asks for one page ahead at most', async () => {
    const keys = Array.from({ length: 2_100 }, (_, n) => `many/${String(n).padStart(4, '0')}`);
    const direct = new S3Lake(bucketAt(upstream!, { bucket: bucket.name }));
    await inParallel(keys, (key) => direct.put(key, a));
    for await (const { key } of lake.list('many/')) {
      if (key === keys[0]) expect(store.seen).toHaveLength(1);
      if (key !== keys[900]) continue;
      await until('the second page', () => store.seen.length === 2);
      break;
    }
    expect(store.seen).toHaveLength(2);
    expect(await keysOf(lake, 'many/')).toEqual(keys);
    store.calm();
    store.fault = ({ before }) => (before === 2 ? refusal(403, 'AccessDenied') : 'none');
    expect((await failureOf(keysOf(lake, 'many/'))).message).toContain('allow s3:ListBucket');
    store.calm();
    await lake.remove(keys);
    expect(await keysOf(lake, 'many/')).toEqual([]);
  });

  test("lists a pipeline's objects in order, from any hour and moment", async () => {
    const start = Date.UTC(2026, 0, 1, 22, 30);
    const times = Array.from({ length: 12 }, (_, n) => start + n * 17 * 60_000);
    const keys = times.map((time) => {
      const batch = v7({ msecs: time });
      return objectKey({ source: 'app', batch, events: 1, hash: '0'.repeat(32) });
    });
    await inParallel(keys, (key) => lake.put(key, a));
    keys.sort(byBytes);
    for (const time of [...times, start - 7_200_000, start + 600_000, start + 86_400_000])
      for (const after of [keyBefore('app', time), hourPrefix('app', time)])
        expect(await keysOf(lake, 'raw/app/', after)).toEqual(keys.filter((key) => byBytes(key, after) > 0));
  });
});

import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';

import { v7 } from 'uuid';

import { LakeNotFound } from '../../src/errors.js';
import { hourPrefix, keyBefore, objectKey } from '../../src/keys.js';
import { S3Lake } from '../../src/providers/aws/s3.js';
import { byBytes, expectBody, inParallel, keysOf } from '../contract/objects.js';
import { s3Endpoint } from '../standins/aws.js';
import { FaultProxy } from '../standins/fault-proxy.js';
import { s3Error } from '../standins/faults/aws-errors.js';
import { answer, corrupt, cutAfter, halfOpenAfter } from '../standins/faults/generic.js';
import { until } from '../until.js';
import { bucketAt, failureOf, newLake, removeBuckets } from './s3-lakes.js';

describe('reading from a store that fails', () => {
  let proxy: FaultProxy;
  let lake: S3Lake;
  /** The same lake, for what never answers. */
  let impatient: S3Lake;
  /** The same lake, around the proxy. */
  let direct: S3Lake;
  let bucket: string;
  beforeAll(async () => {
    const made = await newLake(await s3Endpoint());
    direct = made.lake;
    bucket = made.bucket.name;
  });
  beforeEach(async () => {
    proxy = await FaultProxy.start({ target: await s3Endpoint() });
    lake = new S3Lake(bucketAt(proxy.endpoint, { bucket }));
    impatient = new S3Lake(bucketAt(proxy.endpoint, { bucket }, { longestMs: 20_000, silenceMs: 500 }));
  });
  afterEach(() => proxy.close());
  afterAll(removeBuckets);

  const a = Buffer.from('the bytes of a');
  describe('a get', () => {
    const body = randomBytes(3_000_000);
    beforeAll(async () => {
      await direct.put('raw/body', body);
    });

    test.each([
      ['cut', cutAfter(body.length / 2)],
      ['stalled', halfOpenAfter(body.length / 2)],
      ['changed', corrupt()],
    ])('with a %s body never ends as if whole', async (how, fault) => {
      const rule = proxy.rule({ fault });
      await failureOf((how === 'stalled' ? impatient : lake).get('raw/body').then(buffer));
      expect(rule.happened).toBeGreaterThan(0);
      rule.remove();
      await expectBody(lake, 'raw/body', body);
    });

    test('of which nothing or a part is read gives its connection back', async () => {
      for (let n = 0; n < 10; n++) {
        await impatient.get('raw/body');
        for await (const _ of await impatient.get('raw/body')) break;
      }
      await until('connections given back', () => proxy.connections === 0);
      await expectBody(impatient, 'raw/body', body);
    });

    test('calls no object gone that is out of reach', async () => {
      for (const [status, code] of [
        [403, 'AccessDenied'],
        [404, 'NoSuchBucket'],
        [301, 'PermanentRedirect'],
        [400, 'ExpiredToken'],
      ] as const) {
        const rule = proxy.rule({ fault: s3Error(status, code) });
        expect((await failureOf(lake.get('raw/body'))).message).toContain(code);
        rule.remove();
      }
      proxy.rule({ fault: s3Error(404, 'NoSuchKey') });
      await expect(lake.get('raw/body')).rejects.toBeInstanceOf(LakeNotFound);
    });

    test('names the region that the bucket is in', async () => {
      const headers = { 'content-type': 'application/xml', 'x-amz-bucket-region': 'eu-west-1' };
      proxy.rule({ fault: answer(301, '<Error><Code>PermanentRedirect</Code></Error>', headers) });
      expect((await failureOf(lake.get('raw/body'))).message).toContain("name the region 'eu-west-1'");
    });
  });

  test('a listing never ends at a page that fails, and asks for one page ahead at most', async () => {
    const keys = Array.from({ length: 2_100 }, (_, n) => `many/${String(n).padStart(4, '0')}`);
    await inParallel(keys, (key) => direct.put(key, a));
    for await (const { key } of lake.list('many/')) {
      if (key === keys[0]) expect(proxy.seen.calls()).toBe(1);
      if (key !== keys[900]) continue;
      await until('the second page', () => proxy.seen.calls() === 2);
      break;
    }
    expect(proxy.seen.calls()).toBe(2);
    expect(await keysOf(lake, 'many/')).toEqual(keys);
    proxy.rule({ when: { nth: 3 }, fault: s3Error(403, 'AccessDenied') });
    expect((await failureOf(keysOf(lake, 'many/'))).message).toContain('allow s3:ListBucket');
    proxy.clear();
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

import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';

import { v7 } from 'uuid';

import { LakeNotFound, Unavailable } from '../src/errors.js';
import { hourPrefix, keyBefore, objectKey } from '../src/keys.js';

import type { Bucket } from '../src/providers/aws/s3-bucket.js';
import { S3Lake } from '../src/providers/aws/s3.js';
import { byBytes, expectBody, inParallel, keysOf } from './contract/objects.js';
import { FaultyStore, refusal } from './s3-faults.js';
import { bucketAt, newLake, upstream } from './s3-lakes.js';
import { until } from './until.js';

const suite = upstream === undefined ? describe.skip : describe;

suite('a lake on a store that fails', () => {
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
  afterAll(() => store.close());

  const a = Buffer.from('the bytes of a');
  const failureOf = async (call: Promise<unknown>): Promise<Error> => {
    const error: unknown = await call.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(Unavailable);
    expect((error as Error).message).not.toContain('SECRET');
    return error as Error;
  };

  describe('a put', () => {
    const onPut = (times: number, fault: ReturnType<typeof refusal>) => {
      store.fault = ({ method, before }) => (method === 'PUT' && before < times ? fault : 'none');
    };
    const puts = () => store.seen.filter((method) => method === 'PUT').length;

    test('whose reply was lost has written, though the second try finds the key taken', async () => {
      onPut(1, 'lost reply');
      expect(await lake.put('lost/a', a)).toBe('written');
      expect(store.seen).toEqual(['PUT', 'PUT', 'HEAD']);
      await expectBody(lake, 'lost/a', a);
    });

    test('whose reply was lost has not written where another was first', async () => {
      await lake.put('first/a', Buffer.from('the bytes of another'));
      store.calm();
      onPut(1, 'lost reply');
      expect(await lake.put('first/a', a)).toBe('kept');
      await expectBody(lake, 'first/a', Buffer.from('the bytes of another'));
    });

    test('that was refused at first has not written what another wrote alike', async () => {
      await lake.put('alike/a', a);
      store.calm();
      onPut(1, refusal(409, 'ConditionalRequestConflict'));
      expect(await lake.put('alike/a', a)).toBe('kept');
    });

    test('of a key that is free again, when it looks, is tried again', async () => {
      onPut(1, refusal(412, 'PreconditionFailed'));
      expect(await lake.put('vanished/a', a)).toBe('written');
      await expectBody(lake, 'vanished/a', a);
    });

    test('reads back where the store tells no checksum', async () => {
      await lake.put('no checksum/a', a);
      store.calm();
      store.fault = ({ method, before }) =>
        method === 'HEAD' ? { status: 200, body: '' } : method === 'PUT' && before < 1 ? 'lost reply' : 'none';
      expect(await lake.put('no checksum/a', a)).toBe('written');
      expect(store.seen).toEqual(['PUT', 'PUT', 'HEAD', 'GET']);
    });

    test('that meets another of the same key is tried again, and not for ever', async () => {
      onPut(2, refusal(409, 'ConditionalRequestConflict'));
      expect(await lake.put('conflict/a', a)).toBe('written');
      expect(puts()).toBe(3);
      onPut(Infinity, refusal(409, 'ConditionalRequestConflict'));
      expect((await failureOf(lake.put('conflict/b', a))).message).toContain('ConditionalRequestConflict (HTTP 409');
    });

    test('that is throttled is tried again, and not for ever', async () => {
      onPut(1, refusal(503, 'SlowDown'));
      expect(await lake.put('slow/a', a)).toBe('written');
      expect(puts()).toBe(2);
      onPut(Infinity, refusal(503, 'SlowDown'));
      const { message } = await failureOf(lake.put('slow/b', a));
      expect(message).toMatch(/^writing slow\/b \(s3:.*\): SlowDown \(HTTP 503.*the service asks for fewer calls/);
    });

    test('that gets no answer is given up', async () => {
      onPut(Infinity, 'no reply');
      expect((await failureOf(impatient.put('silent/a', a))).message).toContain('no answer');
    });

    test('that is not allowed says what to allow', async () => {
      onPut(1, refusal(403, 'AccessDenied'));
      expect((await failureOf(lake.put('denied/a', a))).message).toContain('allow s3:PutObject');
    });
  });

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

  test('without its bucket, says so in every call', async () => {
    const none = new S3Lake(bucketAt(store.endpoint));
    await failureOf(none.put('raw/a', a));
    await failureOf(none.get('raw/a'));
    await failureOf(keysOf(none, 'raw/'));
    const findings = await none.check();
    expect(findings[0]).toMatchObject({ level: 'error' });
  });

  test('where nobody listens, is out of reach', async () => {
    const gone = await FaultyStore.before(upstream!);
    const { endpoint } = gone;
    await gone.close();
    await failureOf(new S3Lake(bucketAt(endpoint)).put('raw/a', a));
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

  test('a removal fails for a key that stays', async () => {
    const body =
      '<DeleteResult><Error><Key>load/b</Key><Code>AccessDenied</Code><Message>SECRET</Message></Error></DeleteResult>';
    store.fault = () => ({ status: 200, body });
    const error = await failureOf(lake.remove(['load/a', 'load/b']));
    expect(error.message).toMatch(/^removing load\/b \(s3:.*AccessDenied; allow s3:DeleteObject/);
    expect(error).toMatchObject({ where: { key: 'load/b' } });
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
    expect(bucket.uri).toBe(lake.uri);
  });
});

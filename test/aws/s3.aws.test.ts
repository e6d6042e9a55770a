import { S3Lake } from '../../src/providers/aws/s3.js';
import { expectBody, keysOf } from '../contract/objects.js';
import { s3Endpoint } from '../standins/aws.js';
import { FaultProxy } from '../standins/fault-proxy.js';
import { s3Error, said } from '../standins/faults/aws-errors.js';
import type { Fault } from '../standins/faults/fault.js';
import { answer, halfOpen, loseReply } from '../standins/faults/generic.js';
import type { Ruling } from '../standins/faults/rules.js';
import { bucketAt, failureOf, newLake, removeBuckets } from './s3-lakes.js';

describe('a lake on a store that fails', () => {
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
  describe('a put', () => {
    const onPut = (times: number, fault: Fault): Ruling => proxy.rule({ when: { method: 'PUT' }, times, fault });
    const tried = ['PutObject', 'PutObject'];

    test('whose reply was lost has written, though the second try finds the key taken', async () => {
      onPut(1, loseReply());
      expect(await lake.put('lost/a', a)).toBe('written');
      expect(proxy.seen.operations).toEqual([...tried, 'HEAD']);
      await expectBody(lake, 'lost/a', a);
    });

    test('whose reply was lost has not written where another was first', async () => {
      await direct.put('first/a', Buffer.from('the bytes of another'));
      const lost = onPut(1, loseReply());
      expect(await lake.put('first/a', a)).toBe('kept');
      expect(lost.happened).toBe(1);
      await expectBody(lake, 'first/a', Buffer.from('the bytes of another'));
    });

    test('that was refused at first has not written what another wrote alike', async () => {
      await direct.put('alike/a', a);
      const refused = onPut(1, s3Error(409, 'ConditionalRequestConflict'));
      expect(await lake.put('alike/a', a)).toBe('kept');
      expect(refused.happened).toBe(1);
    });

    test('of a key that is free again, when it looks, is tried again', async () => {
      const refused = onPut(1, s3Error(412, 'PreconditionFailed'));
      expect(await lake.put('vanished/a', a)).toBe('written');
      expect(refused.happened).toBe(1);
      await expectBody(lake, 'vanished/a', a);
    });

    test('reads back where the store tells no checksum', async () => {
      await direct.put('no checksum/a', a);
      onPut(1, loseReply());
      proxy.rule({ when: { method: 'HEAD' }, fault: answer(200) });
      expect(await lake.put('no checksum/a', a)).toBe('written');
      expect(proxy.seen.operations).toEqual([...tried, 'HEAD', 'GetObject']);
    });

    test('that meets another of the same key is tried again, and not for ever', async () => {
      const conflict = s3Error(409, 'ConditionalRequestConflict');
      onPut(2, conflict);
      expect(await lake.put('conflict/a', a)).toBe('written');
      expect(proxy.seen.operations).toEqual([...tried, 'PutObject']);
      onPut(Infinity, conflict);
      expect((await failureOf(lake.put('conflict/b', a))).message).toContain('ConditionalRequestConflict (HTTP 409');
    });

    test('that is throttled is tried again, and not for ever', async () => {
      onPut(1, s3Error(503, 'SlowDown'));
      expect(await lake.put('slow/a', a)).toBe('written');
      expect(proxy.seen.operations).toEqual(tried);
      onPut(Infinity, s3Error(503, 'SlowDown'));
      const { message } = await failureOf(lake.put('slow/b', a));
      expect(message).toMatch(/^writing slow\/b \(s3:.*\): SlowDown \(HTTP 503.*the service asks for fewer calls/);
    });

    test('that gets no answer is given up', async () => {
      onPut(Infinity, halfOpen());
      expect((await failureOf(impatient.put('silent/a', a))).message).toContain('no answer');
    });

    test('that is not allowed says what to allow', async () => {
      onPut(1, s3Error(403, 'AccessDenied'));
      expect((await failureOf(lake.put('denied/a', a))).message).toContain('allow s3:PutObject');
    });
  });

  test('without its bucket, says so in every call', async () => {
    const none = new S3Lake(bucketAt(proxy.endpoint));
    await failureOf(none.put('raw/a', a));
    await failureOf(none.get('raw/a'));
    await failureOf(keysOf(none, 'raw/'));
    const findings = await none.check();
    expect(findings[0]).toMatchObject({ level: 'error' });
  });

  test('where nobody listens, is out of reach', async () => {
    const gone = await FaultProxy.start({ target: await s3Endpoint() });
    const { endpoint } = gone;
    await gone.close();
    await failureOf(new S3Lake(bucketAt(endpoint)).put('raw/a', a));
  });

  test('a removal fails for a key that stays', async () => {
    const failed = `<Error><Key>load/b</Key><Code>AccessDenied</Code><Message>${said}</Message></Error>`;
    proxy.rule({ fault: answer(200, `<DeleteResult>${failed}</DeleteResult>`, { 'content-type': 'application/xml' }) });
    const error = await failureOf(lake.remove(['load/a', 'load/b']));
    expect(error.message).toMatch(/^removing load\/b \(s3:.*AccessDenied; allow s3:DeleteObject/);
    expect(error).toMatchObject({ where: { key: 'load/b' } });
  });
});

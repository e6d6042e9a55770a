import type { Bucket } from '../src/providers/aws/s3-bucket.js';
import { S3Lake } from '../src/providers/aws/s3.js';
import { expectBody, keysOf } from './contract/objects.js';
import { FaultyStore, refusal } from './s3-faults.js';
import { bucketAt, failureOf, newLake, removeBuckets, upstream } from './s3-lakes.js';

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
  afterAll(async () => {
    await removeBuckets();
    await store.close();
  });

  const a = Buffer.from('the bytes of a');
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

  test('a removal fails for a key that stays', async () => {
    const body =
      '<DeleteResult><Error><Key>load/b</Key><Code>AccessDenied</Code><Message>SECRET</Message></Error></DeleteResult>';
    store.fault = () => ({ status: 200, body });
    const error = await failureOf(lake.remove(['load/a', 'load/b']));
    expect(error.message).toMatch(/^removing load\/b \(s3:.*AccessDenied; allow s3:DeleteObject/);
    expect(error).toMatchObject({ where: { key: 'load/b' } });
  });
});

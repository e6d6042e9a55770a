import { CRC32C } from '@google-cloud/storage';

import { LakeKeyRefused } from '../../src/errors.js';
import { Crc32c } from '../../src/providers/gcp/crc32c.js';
import { paceOf } from '../../src/providers/gcp/gcs-pace.js';
import { GcsLake } from '../../src/providers/gcp/gcs.js';
import { all, expectBody, keysOf } from '../contract/objects.js';
import { gcsEndpoint } from '../standins/gcp.js';
import { FaultProxy } from '../standins/fault-proxy.js';
import { wholeBody, type Fault } from '../standins/faults/fault.js';
import { answer, delay, halfOpen, loseReply } from '../standins/faults/generic.js';
import type { Ruling } from '../standins/faults/rules.js';
import { until } from '../until.js';
import { bucketAt, errorOf, failureOf, kindOf, newLake, note, on } from './gcs-lakes.js';

describe('a lake on a store that fails', () => {
  let proxy: FaultProxy;
  let lake: GcsLake;
  /** The same lake, for what never answers. */
  let impatient: GcsLake;
  /** The same lake, around the proxy. */
  let direct: GcsLake;
  let bucket: string;
  let calls: Parameters<typeof note>[0];
  beforeAll(async () => {
    const made = await newLake(await gcsEndpoint());
    direct = made.lake;
    bucket = made.bucket.name;
  });
  beforeEach(async () => {
    proxy = await FaultProxy.start({ target: await gcsEndpoint() });
    lake = new GcsLake(bucketAt(proxy.endpoint, { bucket }));
    impatient = new GcsLake(bucketAt(proxy.endpoint, { bucket }, { longestMs: 2_000, silenceMs: 500 }));
    calls = [];
    proxy.rule({ fault: note(calls) });
  });
  afterEach(() => proxy.close());

  const a = Buffer.from('the bytes of a');
  const inPlace = (body: object): Fault => answer(200, JSON.stringify(body), { 'content-type': 'application/json' });

  describe('a put', () => {
    const onPut = (times: number, fault: Fault): Ruling => proxy.rule({ when: on('put'), times, fault });

    test('is one request, on the condition that the key is free', async () => {
      let condition: string | null = null;
      let metadata: unknown;
      onPut(1, {
        name: 'look',
        async run(call, { next }) {
          condition = call.query.get('ifGenerationMatch');
          metadata = JSON.parse(/\{.*\}/.exec(String(await call.body()))![0]);
          return next();
        },
      });
      expect(await lake.put('one/a.gz', a)).toBe('written');
      expect(calls).toEqual(['put']);
      const theirs = new CRC32C();
      theirs.update(a);
      const crc32c = theirs.toString();
      expect(condition).toBe('0');
      expect(metadata).toEqual({ name: 'one/a.gz', contentType: 'application/gzip', crc32c });
    });

    test('asks for no credentials, and sends none', async () => {
      let headers: object = {};
      onPut(1, {
        name: 'look',
        run(call, { next }) {
          headers = call.headers;
          return next();
        },
      });
      await lake.put('open/a', a);
      expect(headers).toMatchObject({ 'user-agent': 'catchment' });
      expect(headers).not.toHaveProperty('authorization');
    });

    test('whose reply was lost has written, though the second try finds the key taken', async () => {
      onPut(1, loseReply());
      expect(await lake.put('lost/a', a)).toBe('written');
      expect(calls).toEqual(['put', 'put', 'look']);
      await expectBody(lake, 'lost/a', a);
    });

    test('whose reply was lost in silence has written as well', async () => {
      onPut(1, loseReply('hang'));
      expect(await impatient.put('silence/a', a)).toBe('written');
      await expectBody(lake, 'silence/a', a);
    });

    test.each([
      ['other bytes', 'the bytes of another'],
      ['as many other bytes', 'the bytes of b'],
    ])('whose reply was lost has not written where another was first, with %s', async (how, text) => {
      await direct.put(`first/${how}`, Buffer.from(text));
      const lost = onPut(1, loseReply());
      expect(await lake.put(`first/${how}`, a)).toBe('kept');
      expect(lost.happened).toBe(1);
      await expectBody(lake, `first/${how}`, Buffer.from(text));
    });

    test('is not taken for another that is longer and has the same checksum', async () => {
      await direct.put('sum/a', a);
      onPut(1, loseReply());
      proxy.rule({ when: on('look'), fault: inPlace({ crc32c: new Crc32c().update(a).digest(), size: '99' }) });
      expect(await lake.put('sum/a', a)).toBe('kept');
    });

    test('that was refused at first has not written what another wrote alike', async () => {
      await direct.put('alike/a', a);
      const refused = onPut(1, errorOf(429, 'rateLimitExceeded'));
      expect(await lake.put('alike/a', a)).toBe('kept');
      expect(refused.happened).toBe(1);
    });

    test('of a key that is free again, when it looks, is tried again', async () => {
      const refused = onPut(1, errorOf(412, 'conditionNotMet'));
      expect(await lake.put('vanished/a', a)).toBe('written');
      expect(refused.happened).toBe(1);
      await expectBody(lake, 'vanished/a', a);
    });

    test('reads back where the store tells no checksum', async () => {
      await direct.put('no checksum/a', a);
      onPut(1, loseReply());
      proxy.rule({ when: on('look'), fault: inPlace({ size: String(a.length) }) });
      expect(await lake.put('no checksum/a', a)).toBe('written');
      expect(calls).toEqual(['put', 'put', 'look', 'get']);
    });

    test('looks at the bytes where the answer has another checksum, and removes nothing', async () => {
      onPut(1, inPlaceAfter({ crc32c: 'AAAAAA==', size: String(a.length) }));
      expect(await lake.put('answer/a', a)).toBe('written');
      expect(calls).toEqual(['put', 'get']);
    });

    test('fails where the store holds other bytes than it was sent, and removes nothing', async () => {
      const flipped: Fault = {
        name: 'flipped',
        async run(call, { next, happened }) {
          happened();
          return next(Buffer.from(String(await call.body()).replace('the bytes of a', 'the bytes of b'), 'utf8'));
        },
      };
      // The service refuses these; fake-gcs-server takes them.
      onPut(1, flipped);
      expect((await failureOf(lake.put('flipped/a', a))).message).toContain('does not hold the bytes');
      expect(calls).toEqual(['put', 'get']);
      await expectBody(lake, 'flipped/a', Buffer.from('the bytes of b'));
    });

    test('whose bytes the store refuses says so', async () => {
      onPut(1, errorOf(400, 'invalid'));
      expect((await failureOf(lake.put('invalid/a', a))).message).toContain('invalid (HTTP 400)');
    });

    test.each([
      [429, 'rateLimitExceeded', 32],
      [503, 'backendError', 32],
      [500, 'internalError', 64],
      [408, 'requestTimeout', 64],
    ])('that is answered %i %s is tried again, and not for ever; %i may be at once', async (status, reason, atOnce) => {
      onPut(1, errorOf(status, reason));
      expect(await lake.put(`passing/${status}`, a)).toBe('written');
      // All of the process that use the bucket go slower.
      expect(paceOf(`${proxy.endpoint}/${bucket}`).atOnce).toBe(atOnce);
      expect(calls).toEqual(['put', 'put']);
      onPut(Infinity, errorOf(status, reason));
      const { message } = await failureOf(lake.put(`passing/${status}/b`, a));
      expect(message).toMatch(new RegExp(`^writing passing/${status}/b \\(gs://.*\\): ${reason} \\(HTTP ${status}\\)`));
      expect(calls).toHaveLength(6);
    });

    test('that gets no answer is given up', async () => {
      onPut(Infinity, halfOpen());
      expect((await failureOf(impatient.put('silent/a', a))).message).toContain('ETIMEDOUT; no answer');
    });

    test('that is answered while it is sent is heard, and sends no more', async () => {
      onPut(Infinity, errorOf(403, 'forbidden'));
      const { message } = await failureOf(lake.put('early/a', Buffer.alloc(20_000_000)));
      expect(message).toContain('allow storage.objects.create');
      await until('the connection given up', () => proxy.connections === 0);
    });

    test('asks for the class and the key of the config', async () => {
      const seen: unknown[] = [];
      onPut(1, {
        name: 'look',
        async run(call, { next }) {
          seen.push(call.query.get('kmsKeyName'), /"storageClass":"(\w+)"/.exec(String(await call.body()))?.[1]);
          return next();
        },
      });
      const kmsKeyName = 'projects/p/locations/eu/keyRings/r/cryptoKeys/k';
      await new GcsLake(bucketAt(proxy.endpoint, { bucket, kmsKeyName, storageClass: 'NEARLINE' })).put('kms/a', a);
      expect(seen).toEqual([kmsKeyName, 'NEARLINE']);
    });
  });

  test('without its bucket, says so in every call', async () => {
    const none = new GcsLake(bucketAt(proxy.endpoint));
    for (const call of [none.put('raw/a', a), none.get('raw/a'), keysOf(none, 'raw/')])
      expect((await failureOf(call)).message).toContain('catchment provision');
    const findings = await none.check();
    expect(findings[0]).toMatchObject({ level: 'error' });
  });

  test('where nobody listens, is out of reach', async () => {
    const gone = await FaultProxy.start({ target: await gcsEndpoint() });
    const { endpoint } = gone;
    await gone.close();
    expect((await failureOf(new GcsLake(bucketAt(endpoint)).put('raw/a', a))).message).toContain('ECONNREFUSED');
  });

  test('takes no key that the service does not', async () => {
    for (const key of ['a\nb', 'a\rb', '.well-known/acme-challenge/a'])
      for (const call of [lake.put(key, a), lake.get(key), lake.remove([key])])
        await expect(call).rejects.toBeInstanceOf(LakeKeyRefused);
    expect(calls).toEqual([]);
    const beneath = new GcsLake(bucketAt(proxy.endpoint, { bucket, prefix: 'app/' }));
    expect(await beneath.put('.well-known/acme-challenge/a', a)).toBe('written');
  });

  test.each(['{{projectId}}', ':a', '%2F', 'a+b', 'a?b#c', ' a ', 'a;b', 'a%', '日本/😀', '&fields=x', 'o', 'a:b'])(
    'leaves the key %j as it is',
    async (name) => {
      const key = `names/${name}/${name}`;
      expect(await lake.put(key, a)).toBe('written');
      expect(await keysOf(direct, `names/${name}`)).toEqual([key]);
      expect(await keysOf(lake, 'names/', key)).not.toContain(key);
      await expectBody(lake, key, a);
      await lake.remove([key]);
      expect(await keysOf(lake, `names/${name}`)).toEqual([]);
    },
  );

  test("does not show what is the lake's own", async () => {
    const { bucket: other, lake: empty } = await newLake(await gcsEndpoint());
    const query = 'uploadType=media&name=.catchment-lake%2Fa';
    await fetch(`${await gcsEndpoint()}/upload/storage/v1/b/${other.name}/o?${query}`, { method: 'POST', body: 'a' });
    expect(await all(empty.list(''))).toEqual([]);
  });

  describe('a removal', () => {
    test('fails for keys that stay, and names one', async () => {
      for (const key of ['load/a', 'load/b', 'load/c']) await direct.put(key, a);
      const is = (call: Parameters<typeof kindOf>[0]): boolean => kindOf(call) === 'remove' && /[bc]$/.test(call.path);
      proxy.rule({ when: { is }, fault: errorOf(403, 'retentionPolicyNotMet') });
      const error = await failureOf(lake.remove(['load/a', 'load/b', 'load/c', 'load/d']));
      expect(error.message).toMatch(
        /^removing load\/b \(gs:.*retentionPolicyNotMet \(HTTP 403\).*; and so with 1 more$/,
      );
      expect(error).toMatchObject({ where: { key: 'load/b' } });
      expect(await keysOf(direct, 'load/')).toEqual(['load/b', 'load/c']);
    });

    test('of many keys has several under way at once, and not all', async () => {
      let [now, most] = [0, 0];
      proxy.rule({
        when: on('remove'),
        fault: {
          name: 'count',
          async run(call, around) {
            most = Math.max(most, ++now);
            try {
              return await delay(20).run(call, around);
            } finally {
              now--;
            }
          },
        },
      });
      await lake.remove(Array.from({ length: 200 }, (_, n) => `never/${n}`));
      expect(most).toBeGreaterThan(10);
      expect(most).toBeLessThanOrEqual(64);
    });
  });

  /** The target does it, and this is what the client hears. */
  function inPlaceAfter(body: object): Fault {
    return {
      name: 'inPlaceAfter',
      async run(call, around) {
        const outcome = await around.next();
        if (typeof outcome !== 'string') await wholeBody(outcome.body);
        return inPlace(body).run(call, around);
      },
    };
  }
});

import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';

import { LakeNotFound } from '../../src/errors.js';
import { GcsLake } from '../../src/providers/gcp/gcs.js';
import { expectBody, inParallel, keysOf } from '../contract/objects.js';
import { gcsEndpoint } from '../standins/gcp.js';
import { FaultProxy } from '../standins/fault-proxy.js';
import type { Fault } from '../standins/faults/fault.js';
import { answer, corrupt, cutAfter, delay, halfOpenAfter } from '../standins/faults/generic.js';
import { until } from '../until.js';
import { bucketAt, errorOf, failureOf, newLake, note, on } from './gcs-lakes.js';

describe('reading from a store that fails', () => {
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
    impatient = new GcsLake(bucketAt(proxy.endpoint, { bucket }, { longestMs: 20_000, silenceMs: 500 }));
    calls = [];
    proxy.rule({ fault: note(calls) });
  });
  afterEach(() => proxy.close());

  const a = Buffer.from('the bytes of a');

  /** The answer's headers are others. */
  function withHeaders(change: (name: string, value: string) => string | undefined): Fault {
    return {
      name: 'withHeaders',
      async run(_call, { next, happened }) {
        const outcome = await next();
        if (typeof outcome === 'string') return outcome;
        happened();
        const headers: string[] = [];
        for (let at = 0; at < outcome.headers.length; at += 2) {
          const [name, value] = [outcome.headers[at]!, outcome.headers[at + 1]!];
          const changed = change(name.toLowerCase(), value);
          if (changed !== undefined) headers.push(name, changed);
        }
        return { ...outcome, headers };
      },
    };
  }

  describe('a get', () => {
    const body = randomBytes(3_000_000);
    beforeAll(async () => {
      await direct.put('raw/body', body);
    });

    const wrongSum = withHeaders((name, value) => (name === 'x-goog-hash' ? 'crc32c=AAAAAA==' : value));
    test.each([
      ['cut', cutAfter(body.length / 2)],
      ['stalled', halfOpenAfter(body.length / 2)],
      ['changed', corrupt()],
      ['falsely summed', wrongSum],
    ])('with a %s body never ends as if whole', async (how, fault) => {
      const rule = proxy.rule({ when: on('get'), fault });
      await failureOf((how === 'stalled' ? impatient : lake).get('raw/body').then(buffer));
      expect(rule.happened).toBeGreaterThan(0);
      rule.remove();
      await expectBody(lake, 'raw/body', body);
    });

    test('of fewer bytes than the store has, without a length of its own, is no whole', async () => {
      const answered = withHeaders((name, value) => (name === 'content-length' ? undefined : value));
      proxy.rule({ when: on('get'), fault: answered });
      proxy.rule({ when: on('get'), fault: answer(200, 'the bytes', { 'x-goog-stored-content-length': '14' }) });
      expect((await failureOf(lake.get('raw/body').then(buffer))).message).toContain('9 bytes came of 14');
    });

    test('takes what a store without checksums gives', async () => {
      proxy.rule({
        when: on('get'),
        fault: withHeaders((name, value) => (name === 'x-goog-hash' ? undefined : value)),
      });
      await expectBody(lake, 'raw/body', body);
    });

    test('that fails at first is tried again', async () => {
      proxy.rule({ when: on('get'), times: 2, fault: errorOf(503, 'backendError') });
      await expectBody(lake, 'raw/body', body);
      expect(calls).toEqual(['get', 'get', 'get']);
    });

    test('of which nothing or a part is read gives its connection back', async () => {
      for (let n = 0; n < 10; n++) {
        await impatient.get('raw/body');
        for await (const _ of await impatient.get('raw/body')) break;
      }
      const late = await impatient.get('raw/body');
      await until('connections given back', () => proxy.connections === 0);
      expect((await failureOf(buffer(late))).message).toContain('ETIMEDOUT; no answer');
      await expectBody(impatient, 'raw/body', body);
    });

    test('whose reader leaves disturbs no other call', async () => {
      proxy.rule({ when: on('put'), fault: delay(300) });
      const keys = Array.from({ length: 5 }, (_, n) => `beside/${n}`);
      const puts = Promise.all(keys.map((key) => lake.put(key, a)));
      await until('puts under way', () => calls.filter((kind) => kind === 'put').length === 5);
      for (let n = 0; n < 5; n++) for await (const _ of await lake.get('raw/body')) break;
      expect(await puts).toEqual(keys.map(() => 'written'));
      expect(calls.filter((kind) => kind === 'put')).toHaveLength(5);
    });

    test('whose reader stops for long holds up nobody, and fails when it goes on', async () => {
      // Long enough for all of them to begin on a slow machine.
      const patient = new GcsLake(bucketAt(proxy.endpoint, { bucket }, { longestMs: 20_000, silenceMs: 3_000 }));
      // More than can be asked for at once.
      const stopped = await Promise.all(Array.from({ length: 80 }, () => patient.get('raw/body')));
      const [first] = stopped.map((reader) => reader[Symbol.asyncIterator]());
      await first!.next();
      await expectBody(patient, 'raw/body', body);
      await until('connections taken', () => proxy.connections <= 1);
      await failureOf(
        (async () => {
          while ((await first!.next()).done !== true);
        })(),
      );
    });

    test('calls no object gone that is out of reach', async () => {
      for (const [status, reason] of [
        [403, 'forbidden'],
        [401, 'authError'],
        [400, 'UserProjectMissing'],
        [307, 'redirect'],
      ] as const) {
        const rule = proxy.rule({ when: on('get'), fault: errorOf(status, reason) });
        expect((await failureOf(lake.get('raw/body'))).message).toContain(reason);
        rule.remove();
      }
    });

    test('of a missing object asks whether the bucket is there', async () => {
      await expect(lake.get('raw/none')).rejects.toBeInstanceOf(LakeNotFound);
      expect(calls).toEqual(['get', 'list']);
      proxy.rule({ when: on('list'), fault: errorOf(403, 'forbidden') });
      expect((await failureOf(lake.get('raw/none'))).message).toContain('allow storage.objects.list');
    });
  });

  test('a listing never ends at a page that fails, and asks for one page ahead at most', async () => {
    const keys = Array.from({ length: 2_100 }, (_, n) => `many/${String(n).padStart(4, '0')}`);
    await inParallel(keys, (key) => direct.put(key, a), 32);
    for await (const { key } of lake.list('many/')) {
      if (key === keys[0]) expect(calls).toHaveLength(1);
      if (key !== keys[900]) continue;
      await until('the second page', () => calls.length === 2);
      break;
    }
    expect(calls).toHaveLength(2);
    expect(await keysOf(lake, 'many/')).toEqual(keys);
    expect(await keysOf(lake, 'many/', keys[999])).toEqual(keys.slice(1_000));
    const cut = proxy.rule({ when: { ...on('list'), nth: 2 }, fault: cutAfter(1_000) });
    expect(await keysOf(lake, 'many/')).toEqual(keys);
    expect(cut.happened).toBe(1);
    proxy.clear();
    proxy.rule({ when: { ...on('list'), nth: 3 }, fault: errorOf(403, 'forbidden') });
    expect((await failureOf(keysOf(lake, 'many/'))).message).toContain('allow storage.objects.list');
    proxy.clear();
    await lake.remove(keys);
    expect(await keysOf(lake, 'many/')).toEqual([]);
  });

  test.each([
    ['out of order', [{ name: 'b' }, { name: 'a' }], 'in order of bytes'],
    ['without a time', [{ name: 'b', timeCreated: undefined }], 'without its name, size or time'],
  ])('a listing %s is refused', async (_, items, expected) => {
    const whole = items.map((item) => ({ size: '1', timeCreated: '2026-01-01T00:00:00Z', ...item }));
    proxy.rule({ when: on('list'), fault: answer(200, JSON.stringify({ items: whole })) });
    expect((await failureOf(keysOf(lake, ''))).message).toContain(expected);
  });
});

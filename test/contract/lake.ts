import { randomBytes, randomUUID } from 'node:crypto';

import { LakeKeyRefused, LakeNotFound } from '../../src/errors.js';
import type { Lake } from '../../src/providers/lake.js';
import { listing } from './lake-listing.js';
import { all, byBytes, expectBody, inParallel, keysOf } from './objects.js';

export interface LakeUnderTest {
  readonly name: string;
  /** The lake of that name as one more process would open it; a name not used before is an empty lake. */
  readonly open: (name: string) => Promise<Lake>;
  /** In bytes, where something of the lake's own stands before each key; 1,024 otherwise. */
  readonly longestKey?: number;
  /** What is in no key that the store takes, beside what no lake takes. */
  readonly refused?: RegExp;
  /** Titles of the cases that the stand-in, not the implementation, gets wrong; say why where they are named. */
  readonly skip?: readonly string[];
}

/** One case of the contract, on a lake of its own; `again` opens the same lake as another process would. */
export type Case = (title: string, body: (lake: Lake, again: () => Promise<Lake>) => Promise<void>) => void;

/** What every lake must do, whatever it is made of. */
export function lakeContract({ name, open, longestKey = 1_024, refused, skip = [] }: LakeUnderTest): void {
  const hard: Case = (title, body) => {
    if (skip.includes(title)) return;
    test(title, async () => {
      const lake = randomUUID();
      await body(await open(lake), () => open(lake));
    });
  };

  describe(`the lake contract: ${name}`, () => {
    describe('put and get', () => {
      hard('gives bytes back as they were given', async (lake) => {
        const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);
        const bodies: Uint8Array[] = [
          new Uint8Array(0),
          Buffer.from([0]),
          everyByte,
          everyByte.subarray(100, 200),
          Buffer.concat([Buffer.from('\ufeff{"a":1}\r\n'), randomBytes(300_001)]),
          randomBytes(20_000_000),
        ];
        for (const [index, body] of bodies.entries()) {
          const key = `raw/app/${index}.gz`;
          expect(await lake.put(key, body)).toBe('written');
          await expectBody(lake, key, body);
        }
        expect((await all(lake.list(''))).map(({ bytes }) => bytes)).toEqual(bodies.map((body) => body.length));
      });

      hard('keeps the first body of a key', async (lake, again) => {
        expect(await lake.put('raw/a.gz', Buffer.from('first'))).toBe('written');
        const [before] = await all(lake.list(''));
        expect(await lake.put('raw/a.gz', Buffer.from('second, and longer'))).toBe('kept');
        expect(await (await again()).put('raw/a.gz', Buffer.from('first'))).toBe('kept');
        await expectBody(lake, 'raw/a.gz', Buffer.from('first'));
        expect(await all(lake.list(''))).toEqual([before]);
      });

      hard('lets one of several puts of a key win, whole', async (lake, again) => {
        const lakes = [lake, await again(), await again()];
        for (let round = 0; round < 8; round++) {
          const key = `raw/round-${round}.gz`;
          const bodies = Array.from({ length: 6 }, (_, put) => Buffer.alloc(100_000 + put, `${round}${put}`));
          const outcomes = await Promise.all(bodies.map((body, put) => lakes[put % lakes.length]!.put(key, body)));
          expect(outcomes.filter((outcome) => outcome === 'written')).toHaveLength(1);
          await expectBody(lake, key, bodies[outcomes.indexOf('written')]!);
        }
      });

      hard('does not look at the body again once the put has resolved', async (lake) => {
        const body = Buffer.alloc(1_000, 'a');
        await lake.put('raw/a.gz', body);
        body.fill('b');
        await expectBody(lake, 'raw/a.gz', Buffer.alloc(1_000, 'a'));
      });

      hard('shows another process at once what was put', async (lake, again) => {
        const other = await again();
        expect(await all(other.list(''))).toEqual([]);
        await lake.put('raw/a.gz', Buffer.from('a'));
        await expectBody(other, 'raw/a.gz', Buffer.from('a'));
        expect(await keysOf(other, '')).toEqual(['raw/a.gz']);
      });

      hard('can be read twice, by two at once, in part, and not at all', async (lake) => {
        const body = randomBytes(3_000_000);
        await lake.put('raw/a.gz', body);
        await lake.get('raw/a.gz');
        for await (const chunk of await lake.get('raw/a.gz')) {
          expect(body.subarray(0, chunk.length).equals(chunk)).toBe(true);
          break;
        }
        await Promise.all([expectBody(lake, 'raw/a.gz', body), expectBody(lake, 'raw/a.gz', body)]);
      });

      hard('says of a missing object that it is not found', async (lake) => {
        await expect(lake.get('raw/app/b.gz')).rejects.toBeInstanceOf(LakeNotFound);
        await lake.put('raw/app/b.gz', Buffer.from('b'));
        for (const key of ['raw/app/b', 'raw/app', 'raw', 'raw/app/b.gzz', 'raw/app/b.gz/c', 'raw/App/b.gz', 'x']) {
          const failed = lake.get(key);
          await expect(failed).rejects.toBeInstanceOf(LakeNotFound);
          await expect(failed).rejects.toMatchObject({ where: { key } });
        }
      });

      hard('takes keys of every script and sign', async (lake) => {
        const isRefused = (key: string): boolean => refused?.test(key) === true;
        for (const key of trickyKeys.filter(isRefused))
          await expect(lake.put(key, Buffer.from(key))).rejects.toBeInstanceOf(LakeKeyRefused);
        const keys = trickyKeys.filter((key) => !isRefused(key)).toSorted(byBytes);
        for (const key of keys) expect(await lake.put(key, Buffer.from(key))).toBe('written');
        expect(await keysOf(lake, '')).toEqual(keys);
        for (const key of keys) {
          await expectBody(lake, key, Buffer.from(key));
          expect(await keysOf(lake, key)).toEqual([key]);
        }
        await lake.remove(keys);
        expect(await keysOf(lake, '')).toEqual([]);
      });

      hard('takes keys with backslashes', async (lake) => {
        const key = 'back\\slash/..\\..\\up';
        expect(await lake.put(key, Buffer.from(key))).toBe('written');
        expect(await keysOf(lake, '')).toEqual([key]);
        await expectBody(lake, key, Buffer.from(key));
      });

      hard('refuses keys that no object can have', async (lake) => {
        const keys = ['', '/', '/a', 'a/', 'a//b', '.', '..', '../a', 'a/../b', 'a/./b', 'a/..', 'a\0b', 'a\ud800b'];
        for (const key of [...keys, 'x'.repeat(256), `${'x'.repeat(100)}/`.repeat(10) + 'x'.repeat(15)]) {
          await expect(lake.put(key, Buffer.from('a'))).rejects.toBeInstanceOf(LakeKeyRefused);
          await expect(lake.get(key)).rejects.toBeInstanceOf(LakeKeyRefused);
          await expect(lake.remove([key])).rejects.toBeInstanceOf(LakeKeyRefused);
        }
        expect(await all(lake.list(''))).toEqual([]);
      });

      hard('takes keys of the greatest length', async (lake) => {
        const folders = `${'é'.repeat(127)}/`.repeat(3);
        const key = folders + 'k/'.repeat(60) + 'k'.repeat(longestKey - 765 - 120);
        expect(Buffer.byteLength(key)).toBe(longestKey);
        await expect(lake.put(`${key}k`, Buffer.from('a'))).rejects.toBeInstanceOf(LakeKeyRefused);
        expect(await lake.put(key, Buffer.from('a'))).toBe('written');
        await expectBody(lake, key, Buffer.from('a'));
      });
    });

    listing(hard, open);

    describe('remove', () => {
      hard('removes what is there and minds nothing that is not', async (lake) => {
        await lake.remove([]);
        await lake.remove(['raw/app/never.gz']);
        await inParallel(['raw/app/a.gz', 'raw/app/b.gz', 'raw/c.gz'], (key) => lake.put(key, Buffer.from(key)));
        await lake.remove(['raw/app/a.gz', 'raw/app/never.gz', 'raw/app', 'raw/c.gz/d', 'raw/app/a.gz', 'raw/c.gz']);
        expect(await keysOf(lake, '')).toEqual(['raw/app/b.gz']);
        await expect(lake.get('raw/app/a.gz')).rejects.toBeInstanceOf(LakeNotFound);
        await expectBody(lake, 'raw/app/b.gz', Buffer.from('raw/app/b.gz'));
      });

      hard('lets a removed key be written anew', async (lake) => {
        await lake.put('load/1/a.gz', Buffer.from('first'));
        await lake.remove(['load/1/a.gz']);
        expect(await lake.put('load/1/a.gz', Buffer.from('second'))).toBe('written');
        await expectBody(lake, 'load/1/a.gz', Buffer.from('second'));
      });

      hard('disturbs no put beside it', async (lake, again) => {
        const other = await again();
        await inParallel(
          Array.from({ length: 40 }, (_, n) => n),
          async (n) => {
            const key = `load/shared/${n}.gz`;
            for (let round = 0; round < 5; round++) {
              expect(await lake.put(key, Buffer.from(`${n} ${round}`))).toBe('written');
              await expectBody(other, key, Buffer.from(`${n} ${round}`));
              await other.remove([key]);
            }
          },
          3,
        );
        expect(await keysOf(lake, '')).toEqual([]);
      });
    });

    describe('the whole', () => {
      hard('is named alike by every process, without credentials', async (lake, again) => {
        const { uri } = lake;
        expect((await again()).uri).toBe(uri);
        expect((await open(randomUUID())).uri).not.toBe(uri);
        expect(new URL(uri)).toMatchObject({ username: '', password: '', search: '', hash: '' });
        await lake.put('a', Buffer.from('a'));
        expect(lake.uri).toBe(uri);
      });

      hard('finds nothing wrong, and leaves no trace of its check', async (lake) => {
        for (const finding of await lake.check()) expect(finding.level).not.toBe('error');
        expect(await all(lake.list(''))).toEqual([]);
      });
    });
  });
}

const trickyKeys = [
  'with space/and  two/ leading and trailing ',
  'percent/100%/%2e%2e/%2F/%00/%',
  'plus+and=equals/dt=2026-01-01/a+b=c&d?e#f.gz',
  'quotes/\'single\' "double" `back`',
  'dots/.hidden/..two/three.../.x.',
  'glob/*/[a-z]?/{b,c}',
  'controls/\ttab\u007f',
  'controls/\nline',
  'umlaut/grüße',
  'umlaut/gru\u0308ße',
  '日本語/イベント.gz',
  'emoji/😀/👩‍👩‍👧.gz',
  'order/\uff5e',
  'order/😀',
  'order/\u{10ffff}',
  'order/z',
  '~tilde/$HOME/-rf/--',
];

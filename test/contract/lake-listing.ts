import { randomUUID } from 'node:crypto';

import fc from 'fast-check';

import type { Case, LakeUnderTest } from './lake.js';
import { all, byBytes, expectBody, inParallel, keysOf } from './objects.js';

/** What every lake's listing must show, and in which order. */
export function listing(hard: Case, open: LakeUnderTest['open']): void {
  describe('list', () => {
    hard('lists nothing of an empty lake', async (lake) => {
      expect(await all(lake.list(''))).toEqual([]);
      expect(await all(lake.list('raw/app/', 'raw/app/dt='))).toEqual([]);
    });

    hard('orders and pages over more than a thousand keys', async (lake) => {
      const keys = Array.from({ length: 1_205 }, (_, n) => `raw/app/hr=${String(n % 5).padStart(2, '0')}/${n}.gz`);
      await inParallel(keys, (key) => lake.put(key, Buffer.from(key)));
      keys.sort(byBytes);
      expect(await keysOf(lake, 'raw/')).toEqual(keys);
      for (const at of [0, 240, 241, 999, 1_000, 1_203, 1_204]) {
        expect(await keysOf(lake, 'raw/app/', keys[at])).toEqual(keys.slice(at + 1));
      }
      expect(await keysOf(lake, 'raw/app/hr=02/1')).toEqual(keys.filter((key) => key.startsWith('raw/app/hr=02/1')));
      for await (const { key } of lake.list('')) {
        expect(key).toBe(keys[0]);
        break;
      }
      await lake.remove(keys);
      expect(await keysOf(lake, '')).toEqual([]);
    });

    hard('keeps sources apart whose names begin alike', async (lake) => {
      const sources = ['app', 'app-eu', 'app.x', 'app0', 'ap'];
      const keys = sources.flatMap((source) => [
        `raw/${source}/dt=2026-01-01/a.gz`,
        `raw/${source}/dt=2026-01-02/b.gz`,
      ]);
      await inParallel(keys, (key) => lake.put(key, Buffer.from(key)));
      keys.sort(byBytes);
      expect(await keysOf(lake, 'raw/')).toEqual(keys);
      expect(await keysOf(lake, 'raw/app/')).toEqual(keys.filter((key) => key.startsWith('raw/app/')));
      expect(await keysOf(lake, 'raw/app')).toEqual(keys.filter((key) => key.startsWith('raw/app')));
      for (const after of [...keys, 'raw/app', 'raw/app-', 'raw/app/', 'raw/app0', 'raw/app/dt=2026-01-01/']) {
        expect(await keysOf(lake, '', after)).toEqual(keys.filter((key) => byBytes(key, after) > 0));
      }
    });

    hard('orders any keys by their bytes, after any key, of any prefix', async (_lake) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(anyKey, { minLength: 1, maxLength: 12 }),
          anyKey,
          fc.nat(),
          async (some, other, cut) => {
            const lake = await open(randomUUID());
            const keys = [...new Set(some)].toSorted(byBytes);
            await inParallel(keys, (key) => lake.put(key, Buffer.from(key)));
            expect(await keysOf(lake, '')).toEqual(keys);
            for (const text of [other, keys[0]!, keys.at(-1)!]) {
              const characters = Array.from(text);
              const prefix = characters.slice(0, cut % (characters.length + 1)).join('');
              const isGood = !/(^|\/)\/|(^|\/)\.{1,2}\//.test(prefix);
              if (isGood) expect(await keysOf(lake, prefix)).toEqual(keys.filter((key) => key.startsWith(prefix)));
              expect(await keysOf(lake, '', text)).toEqual(keys.filter((key) => byBytes(key, text) > 0));
              expect(await keysOf(lake, '', prefix)).toEqual(keys.filter((key) => byBytes(key, prefix) > 0));
            }
          },
        ),
        { numRuns: 25 },
      );
    });

    hard('combines prefix and after', async (lake) => {
      const keys = ['a/1', 'b/1', 'b/2', 'b/3', 'c/1'];
      await inParallel(keys, (key) => lake.put(key, Buffer.from(key)));
      expect(await keysOf(lake, 'b/', 'b/1')).toEqual(['b/2', 'b/3']);
      expect(await keysOf(lake, 'b/', 'a/9')).toEqual(['b/1', 'b/2', 'b/3']);
      expect(await keysOf(lake, 'b/', 'c/1')).toEqual([]);
      expect(await keysOf(lake, 'b/', 'b/3')).toEqual([]);
      expect(await keysOf(lake, 'b/2', 'b/2')).toEqual([]);
      expect(await keysOf(lake, 'b/2', 'b/')).toEqual(['b/2']);
      expect(await keysOf(lake, 'd/')).toEqual([]);
      expect(await keysOf(lake, 'b/2/')).toEqual([]);
      expect(await keysOf(lake, 'b/no such folder/x')).toEqual([]);
    });

    hard('shows every put that resolved before', async (lake, again) => {
      const reader = await again();
      await inParallel(
        Array.from({ length: 60 }, (_, n) => `raw/app/hr=${n % 3}/${n}.gz`),
        async (key) => {
          await lake.put(key, Buffer.from(key));
          expect(await keysOf(reader, 'raw/app/')).toContain(key);
        },
      );
    });

    hard('never shows a temporary or unfinished object while puts are under way', async (lake, again) => {
      const reader = await again();
      const keys = Array.from({ length: 24 }, (_, n) => `raw/app/hr=${n % 2}/${n}.gz`);
      const sizes = new Map(keys.map((key, n) => [key, 400_000 + n]));
      const state = { busy: true };
      const puts = inParallel(keys, (key) => lake.put(key, Buffer.alloc(sizes.get(key)!, key))).finally(() => {
        state.busy = false;
      });
      let seen = 0;
      while (state.busy) {
        for await (const { key, bytes } of reader.list('')) {
          expect(bytes).toBe(sizes.get(key));
          await expectBody(reader, key, Buffer.alloc(bytes, key));
          seen++;
        }
      }
      await puts;
      expect(seen).toBeGreaterThan(0);
      expect(await keysOf(reader, '')).toEqual(keys.toSorted(byBytes));
    });

    hard('goes on while objects come and go', async (lake) => {
      const stay = Array.from({ length: 30 }, (_, n) => `raw/${n}/stay.gz`).toSorted(byBytes);
      const go = Array.from({ length: 30 }, (_, n) => `raw/${n}/go.gz`);
      await inParallel([...stay, ...go], (key) => lake.put(key, Buffer.from(key)));
      const seen: string[] = [];
      let removed: Promise<void> | undefined;
      for await (const { key } of lake.list('')) {
        removed ??= lake.remove(go);
        seen.push(key);
        if (key.endsWith('stay.gz')) await lake.put(`new/${seen.length}.gz`, Buffer.from(key));
      }
      await removed;
      expect(seen.filter((key) => key.endsWith('stay.gz'))).toEqual(stay);
      expect(seen).toEqual(seen.toSorted(byBytes));
    });

    hard('dates objects by the moment they were written', async (lake) => {
      const slack = 5_000;
      const before = Date.now();
      await lake.put('raw/a.gz', Buffer.from('a'));
      const [object] = await all(lake.list(''));
      expect(object!.writtenAt.getTime()).toBeGreaterThan(before - slack);
      expect(object!.writtenAt.getTime()).toBeLessThan(Date.now() + slack);
    });
  });
}

const segment = fc
  .array(fc.constantFrom('a', 'b', '-', '.', ' ', '0', '=', '%', '+', 'é', '\uff5e', '😀'), {
    minLength: 1,
    maxLength: 3,
  })
  .map((characters) => characters.join(''))
  .filter((text) => text !== '.' && text !== '..');

/** Folders never end in "k", so that no object stands where another needs a folder. */
const anyKey = fc
  .tuple(fc.array(segment, { maxLength: 3 }), segment)
  .map(([folders, last]) => [...folders, `${last}k`].join('/'));

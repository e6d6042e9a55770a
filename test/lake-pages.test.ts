import { LakeKeyRefused, Unavailable } from '../src/errors.js';
import { inPages, type Page } from '../src/providers/lake-pages.js';
import type { LakeObject } from '../src/providers/lake.js';

const objectOf = (key: string): LakeObject => ({ key, bytes: 1, writtenAt: new Date(0) });

/** A store that answers with these pages, and fails from `failsAt` on. */
function store(pages: readonly (readonly string[])[], { after = '', failsAt = Infinity, prefix = 'raw/' } = {}) {
  const asked: (string | undefined)[] = [];
  const pageAt = (next: string | undefined): Promise<Page> => {
    asked.push(next);
    const at = Number(next ?? 0);
    if (at >= failsAt) return Promise.reject(new Unavailable(`page ${at}`));
    const objects = pages[at]!.map(objectOf);
    return Promise.resolve({ objects, next: at + 1 < pages.length ? String(at + 1) : undefined });
  };
  return { asked, listing: inPages({ prefix, after, uri: 'lake://test', pageAt }) };
}

async function keysOf(listing: AsyncIterable<LakeObject>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of listing) keys.push(key);
  return keys;
}

describe('a listing in pages', () => {
  it('goes on over pages, empty ones too', async () => {
    const { listing } = store([['raw/a'], [], ['raw/b', 'raw/c']]);
    expect(await keysOf(listing)).toEqual(['raw/a', 'raw/b', 'raw/c']);
  });

  it('shows neither what it is to begin after nor what is no object of the lake', async () => {
    const { listing } = store([['.catchment-lake/x', 'a', 'b']], { after: 'a', prefix: '' });
    expect(await keysOf(listing)).toEqual(['b']);
  });

  it('asks for one page where one object is wanted, and for one more at the second', async () => {
    const { asked, listing } = store([['raw/a', 'raw/b'], ['raw/c'], ['raw/d']]);
    const objects = listing[Symbol.asyncIterator]();
    await objects.next();
    expect(asked).toEqual([undefined]);
    await objects.next();
    expect(asked).toEqual([undefined, '1']);
    await objects.return(undefined);
    expect(asked).toEqual([undefined, '1']);
  });

  it('asks for each page once, however many objects it has', async () => {
    const { asked, listing } = store([['raw/a', 'raw/b', 'raw/c'], ['raw/d', 'raw/e'], [], ['raw/f']]);
    expect(await keysOf(listing)).toHaveLength(6);
    expect(asked).toEqual([undefined, '1', '2', '3']);
  });

  it('fails where a page fails, once the one before it was shown, and not for who has left', async () => {
    const pages = [['raw/a', 'raw/b'], ['raw/c']];
    const seen: string[] = [];
    await expect(
      (async () => {
        for await (const { key } of store(pages, { failsAt: 1 }).listing) seen.push(key);
      })(),
    ).rejects.toThrow('page 1');
    expect(seen).toEqual(['raw/a', 'raw/b']);

    const objects = store(pages, { failsAt: 1 }).listing[Symbol.asyncIterator]();
    await objects.next();
    await objects.next();
    await objects.return(undefined);
    // An unheard failure would end the process here.
    await new Promise((resolve) => setImmediate(resolve));
  });

  it.each([
    ['in a page', [['raw/b', 'raw/a']]],
    ['twice', [['raw/a', 'raw/a']]],
    ['over pages', [['raw/b'], ['raw/a']]],
    ['after what it is to begin after', [['raw/b', 'raw/a']], 'raw/b'],
  ])('refuses a store that lists out of order: %s', async (_, pages, after = '') => {
    await expect(keysOf(store(pages, { after }).listing)).rejects.toThrow('in order of bytes');
  });

  it('orders as UTF-8 bytes do', async () => {
    const keys = ['raw/\u{ff5e}', 'raw/\u{1f600}'];
    expect(await keysOf(store([keys]).listing)).toEqual(keys);
  });

  it('takes no prefix that leads out of the lake', async () => {
    await expect(keysOf(store([[]], { prefix: '../' }).listing)).rejects.toThrow(LakeKeyRefused);
  });
});

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import fc from 'fast-check';

import { CatchmentError, LakeKeyRefused, Unavailable } from '../src/errors.js';
import { folderLake } from '../src/providers/local/lake.js';
import type { Lake } from '../src/providers/lake.js';
import { all, expectBody, keysOf } from './contract/objects.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catchment-lake-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

function openIn(name: string, path?: string): Lake {
  const provider = folderLake(path === undefined ? {} : { path });
  return provider.open({ pipeline: 'test', dataDir: join(folder, name, '.catchment'), part: 'lake' });
}

describe('no key leads out of the folder', () => {
  test('whatever it says', async () => {
    const lake = openIn('jail/inner');
    await lake.put('raw/a', Buffer.from('a'));
    const part = fc.constantFrom(
      '..',
      '.',
      '/',
      '\\',
      '\0',
      'a',
      '%2e%2e',
      '//',
      '...',
      'jail',
      '~',
      '.catchment-lake',
      ' ',
    );
    const hostile = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(hostile, async (key) => {
        const errors = await Promise.all(
          [lake.put(key, Buffer.from('x')), lake.get(key), lake.remove([key]), all(lake.list(key))].map(errorOf),
        );
        for (const error of errors) expect(error === undefined || error instanceof CatchmentError).toBe(true);
        expect(await readdir(join(folder, 'jail'))).toEqual(['inner']);
        expect((await readdir(join(folder, 'jail/inner/.catchment'))).sort()).toEqual(['lake', 'lake.folder']);
        expect(await readdir(join(folder, 'jail/inner/.catchment/lake/.catchment-lake'))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('nor to what the lake keeps for itself', async () => {
    const lake = openIn('reserved');
    for (const key of ['.catchment-lake/a', '.catchment-lake']) {
      await expect(lake.put(key, Buffer.from('a'))).rejects.toBeInstanceOf(LakeKeyRefused);
    }
    await expect(all(lake.list('.catchment-lake/'))).rejects.toBeInstanceOf(LakeKeyRefused);
    expect(await lake.put('.catchment-lakes/a', Buffer.from('a'))).toBe('written');
  });

  test('nor through a symbolic link', async () => {
    const lake = openIn('links');
    await lake.put('raw/a', Buffer.from('a'));
    const [root, out] = [join(folder, 'links/.catchment/lake'), join(folder, 'outside')];
    await mkdir(out);
    await writeFile(join(out, 'secret'), 'secret');
    await symlink(out, join(root, 'raw/out'));
    await symlink(join(out, 'secret'), join(root, 'raw/file'));
    await symlink(join(out, 'nothing'), join(root, 'raw/dangling'));
    await symlink('loop', join(root, 'raw/loop'));
    for (const key of [
      'raw/out/secret',
      'raw/out/new',
      'raw/out/deep/new',
      'raw/file',
      'raw/dangling',
      'raw/loop',
      'raw/loop/a',
    ]) {
      await expect(lake.put(key, Buffer.from('x'))).rejects.toBeInstanceOf(CatchmentError);
      await expect(lake.get(key)).rejects.toBeInstanceOf(CatchmentError);
    }
    await expect(lake.put('raw/out/new', Buffer.from('x'))).rejects.toBeInstanceOf(LakeKeyRefused);
    await expect(lake.get('raw/out/secret')).rejects.toBeInstanceOf(LakeKeyRefused);
    await expect(lake.get('raw/file')).rejects.toBeInstanceOf(LakeKeyRefused);
    await expect(lake.remove(['raw/out/secret'])).rejects.toBeInstanceOf(LakeKeyRefused);
    await expect(all(lake.list('raw/out/'))).rejects.toBeInstanceOf(LakeKeyRefused);
    await lake.put('raw/dangling/a', Buffer.from('x')).catch(() => undefined);
    expect(await keysOf(lake, '')).toEqual(['raw/a']);
    expect(await readdir(out)).toEqual(['secret']);
    expect(await readFile(join(out, 'secret'), 'utf8')).toBe('secret');
  });

  test('and a root that is a link itself is fine', async () => {
    await mkdir(join(folder, 'behind'));
    await symlink(join(folder, 'behind'), join(folder, 'front'));
    const lake = openIn('linked', join(folder, 'front'));
    await lake.put('raw/a', Buffer.from('a'));
    await expectBody(lake, 'raw/a', Buffer.from('a'));
    expect(await keysOf(lake, 'raw/')).toEqual(['raw/a']);
  });

  test('an object and a folder cannot have one name', async () => {
    const lake = openIn('clash');
    await lake.put('raw/a/b', Buffer.from('b'));
    await expect(lake.put('raw/a', Buffer.from('a'))).rejects.toBeInstanceOf(LakeKeyRefused);
    await expect(lake.put('raw/a/b/c', Buffer.from('c'))).rejects.toBeInstanceOf(LakeKeyRefused);
    await lake.remove(['raw/a']);
    expect(await keysOf(lake, '')).toEqual(['raw/a/b']);
  });
});

describe('a lake that cannot be reached', () => {
  test.each(['is gone', 'is empty, as an unmounted disk', 'is a file'])(
    'because its folder %s is never taken for an empty one',
    async (how) => {
      const name = `away-${how.length}`;
      const [root, away] = [join(folder, name, '.catchment/lake'), join(folder, name, 'away')];
      const lake = openIn(name);
      await lake.put('raw/a', Buffer.from('a'));
      await rename(root, away);
      if (how.includes('empty')) await mkdir(root);
      if (how.includes('file')) await writeFile(root, '');
      for (const each of [lake, openIn(name)]) {
        await expect(each.get('raw/a')).rejects.toBeInstanceOf(Unavailable);
        await expect(each.put('raw/b', Buffer.from('b'))).rejects.toBeInstanceOf(Unavailable);
        await expect(all(each.list(''))).rejects.toBeInstanceOf(Unavailable);
        await expect(all(each.list('raw/'))).rejects.toBeInstanceOf(Unavailable);
        await expect(each.remove(['raw/a'])).rejects.toBeInstanceOf(Unavailable);
        await expect(each.get('raw/a')).rejects.toThrow(
          /mount or restore it, or, if it was deleted on purpose, delete .*lake\.folder/,
        );
        expect(await each.check()).toContainEqual(expect.objectContaining({ level: 'error' }));
      }
      if (how.includes('empty')) expect(await readdir(root)).toEqual([]);
      await rm(root, { recursive: true, force: true });
      await rename(away, root);
      for (const each of [lake, openIn(name)]) await expectBody(each, 'raw/a', Buffer.from('a'));
      expect(await lake.put('raw/b', Buffer.from('b'))).toBe('written');
    },
  );

  test('while it is listed ends the listing with an error, not early', async () => {
    const lake = openIn('midway');
    for (const key of ['raw/1/a', 'raw/2/a']) await lake.put(key, Buffer.from(key));
    const root = join(folder, 'midway/.catchment/lake');
    const seen: string[] = [];
    const listing = async (): Promise<void> => {
      for await (const { key } of lake.list('')) {
        seen.push(key);
        await rename(root, `${root}-away`);
      }
    };
    await expect(listing()).rejects.toBeInstanceOf(Unavailable);
    expect(seen).toEqual(['raw/1/a']);
  });

  test('because it may not be written says so, and what to do', async () => {
    const lake = openIn('forbidden', '/sys/catchment-lake');
    const failed = lake.put('raw/a', Buffer.from('a'));
    await expect(failed).rejects.toBeInstanceOf(Unavailable);
    await expect(failed).rejects.toThrow(/\/sys\/catchment-lake; /);
    expect(await lake.check()).toContainEqual(expect.objectContaining({ level: 'error' }));
  });

  test('in the middle of a write leaves nothing behind', async () => {
    const [module, path] = [join(import.meta.dirname, '../src/providers/local/lake.ts'), join(folder, 'full')];
    // The limit on file sizes stands in for a disk that fills up: the write comes so far and no further.
    const script = `
      const { folderLake } = await require('jiti')(${JSON.stringify(module)}).import(${JSON.stringify(module)});
      const lake = folderLake().open({ pipeline: 'test', dataDir: ${JSON.stringify(path)}, part: 'lake' });
      await lake.put('raw/small', Buffer.alloc(1000));
      await lake.put('raw/big', Buffer.alloc(3000000)).catch((error) => console.log(error.name, error.message));`;
    const wrapped = `(async () => {${script}})()`;
    const { stdout } = await promisify(execFile)(
      'sh',
      ['-c', 'ulimit -f 2000; exec "$0" -e "$1"', process.execPath, wrapped],
      {
        cwd: join(import.meta.dirname, '..'),
      },
    );
    expect(stdout).toMatch(/^Unavailable writing raw\/big: EFBIG /);
    const lake = openIn('full-reader', join(path, 'lake'));
    expect(await keysOf(lake, '')).toEqual(['raw/small']);
    expect(await readdir(join(path, 'lake/.catchment-lake'))).toEqual([]);
  });
});

async function errorOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
    return undefined;
  } catch (error) {
    return error;
  }
}

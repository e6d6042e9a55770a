import { execFile } from 'node:child_process';
import { createHook } from 'node:async_hooks';
import { lstat, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { LakeNotFound } from '../../src/errors.js';
import { folderLake } from '../../src/providers/local/lake.js';
import type { Lake } from '../../src/providers/lake.js';
import { lakeContract } from './lake.js';
import { all, expectBody, keysOf } from './objects.js';

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

lakeContract({ name: 'a folder', open: (name) => Promise.resolve(openIn(name)) });

describe('the folder of a lake', () => {
  test('lies where the config says, beside .catchment', () => {
    expect(openIn('place').uri).toBe(`file://${folder}/place/.catchment/lake`);
    expect(openIn('place', 'data/raw/').uri).toBe(`file://${folder}/place/data/raw`);
    expect(openIn('place', '/elsewhere').uri).toBe('file:///elsewhere');
    expect(folderLake()).toMatchObject({ name: 'folder', embedded: true });
  });

  test('is not made by opening or reading', async () => {
    const lake = openIn('lazy');
    expect(await all(lake.list('raw/'))).toEqual([]);
    await expect(lake.get('raw/a')).rejects.toBeInstanceOf(LakeNotFound);
    await lake.remove(['raw/a']);
    await expect(readdir(join(folder, 'lazy'))).rejects.toThrow('ENOENT');
  });

  test('holds each object as a file of its key, so that any tool reads it', async () => {
    const lake = openIn('plain');
    await lake.put('raw/app/dt=2026-01-01/a.gz', Buffer.from('a'));
    expect(await readFile(join(folder, 'plain/.catchment/lake/raw/app/dt=2026-01-01/a.gz'), 'utf8')).toBe('a');
  });

  test('keeps no empty folders of removed objects', async () => {
    const lake = openIn('empty');
    await lake.put('load/1/a.gz', Buffer.from('a'));
    await lake.put('load/2/a.gz', Buffer.from('a'));
    await lake.remove(['load/1/a.gz']);
    expect(await readdir(join(folder, 'empty/.catchment/lake/load'))).toEqual(['2']);
    await lake.remove(['load/2/a.gz']);
    expect(await readdir(join(folder, 'empty/.catchment/lake'))).toEqual(['.catchment-lake']);
  });
});

describe('what a killed put leaves behind', () => {
  test('is never listed, and is removed when it is old, and only then', async () => {
    const lake = openIn('leftovers');
    await lake.put('raw/a', Buffer.from('a'));
    const incoming = join(folder, 'leftovers/.catchment/lake/.catchment-lake');
    await writeFile(join(incoming, 'old'), 'x');
    await utimes(join(incoming, 'old'), new Date(), new Date(Date.now() - 3_700_000));
    await writeFile(join(incoming, 'young'), 'x');
    const next = openIn('leftovers');
    expect(await keysOf(next, '')).toEqual(['raw/a']);
    await next.put('raw/b', Buffer.from('b'));
    expect(await readdir(incoming)).toEqual(['young']);
  });

  test('taken away under a put that is still going costs it nothing', async () => {
    const lake = openIn('swept');
    await lake.put('raw/a', Buffer.from('a'));
    const incoming = join(folder, 'swept/.catchment/lake/.catchment-lake');
    const state = { busy: true, swept: 0 };
    const body = Buffer.alloc(2_000_000, 'b');
    const puts = Promise.all(Array.from({ length: 4 }, (_, n) => lake.put(`raw/b${n}`, body))).finally(() => {
      state.busy = false;
    });
    while (state.busy) {
      // As often as a put begins anew at most, less one.
      for (const name of state.swept < 4 ? await readdir(incoming) : []) {
        await rm(join(incoming, name), { force: true });
        state.swept++;
        break;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await puts).toEqual(['written', 'written', 'written', 'written']);
    expect(state.swept).toBeGreaterThan(0);
    for (let n = 0; n < 4; n++) await expectBody(lake, `raw/b${n}`, body);
    expect(await readdir(incoming)).toEqual([]);
  });
});

describe('a listing', () => {
  test('does not read folders that lie wholly before its start, or outside its prefix', async () => {
    const lake = openIn('skips');
    const hours = Array.from({ length: 24 }, (_, hour) => `hr=${String(hour).padStart(2, '0')}`);
    for (const source of ['app', 'web'])
      for (const hour of hours) await lake.put(`raw/${source}/${hour}/a`, Buffer.from('a'));
    const opened = async (prefix: string, after?: string): Promise<number> => {
      let folders = 0;
      const count = (_id: number, type: string): void => {
        if (type === 'DIRHANDLE') folders++;
      };
      const hook = createHook({ init: count }).enable();
      await keysOf(lake, prefix, after);
      hook.disable();
      return folders;
    };
    expect(await opened('')).toBe(52);
    expect(await opened('raw/web/')).toBe(25);
    expect(await opened('raw/web/', 'raw/web/hr=22/a')).toBe(3);
    expect(await opened('raw/web/hr=2')).toBe(5);
    expect(await opened('', 'raw/web/hr=23')).toBe(4);
  });

  test('shows no files of other kinds', async () => {
    const lake = openIn('kinds');
    await lake.put('raw/a', Buffer.from('a'));
    await promisify(execFile)('mkfifo', [join(folder, 'kinds/.catchment/lake/raw/pipe')]);
    expect(await keysOf(lake, '')).toEqual(['raw/a']);
    await expect(lake.get('raw/pipe')).rejects.toBeInstanceOf(LakeNotFound);
    expect((await lstat(join(folder, 'kinds/.catchment/lake/raw/a'))).mode & 0o222).toBe(0);
  });
});

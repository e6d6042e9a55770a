import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Unavailable } from '../src/errors.js';
import { holder, tryLock } from '../src/locks.js';
import { endChildren, startChild } from './child.js';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catchment-locks-'));
  file = join(folder, 'deep', 'a.lock');
});
afterEach(async () => {
  await endChildren();
  await rm(folder, { recursive: true, force: true });
});

const taker = () => startChild(join(import.meta.dirname, 'lock-taker.ts'), file);

it('has one holder in a process, until it is released', () => {
  expect(holder(file)).toBeUndefined();
  const lock = tryLock(file, { what: 'the test', at: '/some/where' });
  expect(lock).toBeDefined();
  expect(tryLock(file, { what: 'another' })).toBeUndefined();
  expect(holder(file)).toMatchObject({ pid: process.pid, what: 'the test', at: '/some/where' });
  expect(tryLock(file, { what: 'another' })).toBeUndefined();
  lock?.release();
  lock?.release();
  expect(holder(file)).toBeUndefined();
  const next = tryLock(file, { what: 'another' });
  expect(next).toBeDefined();
  lock?.release();
  expect(tryLock(file, { what: 'a third' })).toBeUndefined();
  next?.release();
});

it('has one holder in all processes, and is free again at the moment a holder is killed', async () => {
  const [first, second] = [taker(), taker()];
  await Promise.all([first.says(''), second.says('')]);
  expect([...first.lines, ...second.lines].sort()).toEqual(['held', 'refused']);
  const held = first.lines[0] === 'held' ? first : second;
  expect(tryLock(file, { what: 'the test' })).toBeUndefined();
  expect(holder(file)).toMatchObject({ pid: held.pid, what: 'a test' });
  await held.kill('SIGKILL');
  expect(holder(file)).toBeUndefined();
  const lock = tryLock(file, { what: 'the test' });
  expect(holder(file)).toMatchObject({ pid: process.pid });
  const third = taker();
  await third.says('refused');
  lock?.release();
});

it('is kept by a process that is stopped, and given back by one that releases it', async () => {
  const child = taker();
  await child.says('held');
  process.kill(child.pid, 'SIGSTOP');
  expect(tryLock(file, { what: 'the test' })).toBeUndefined();
  process.kill(child.pid, 'SIGCONT');
  child.tell('release');
  await child.says('released');
  expect(holder(file)).toBeUndefined();
  const lock = tryLock(file, { what: 'the test' });
  expect(lock).toBeDefined();
  lock?.release();
});

it('says which file cannot be made', async () => {
  await writeFile(join(folder, 'deep'), 'a file, not a folder');
  const take = () => tryLock(file, { what: 'the test' });
  expect(take).toThrow(Unavailable);
  expect(take).toThrow(file);
});

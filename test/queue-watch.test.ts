import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createQueueFile } from '../src/providers/local/queue-create.js';
import { QueueStore } from '../src/providers/local/queue-store.js';
import { watchCommits } from '../src/providers/local/queue-watch.js';
import { until } from './until.js';

const folders: string[] = [];

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'catchment-watch-'));
  folders.push(folder);
  return folder;
}

afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

test('a commit of another connection is told, also after the log was emptied and removed', async () => {
  const path = join(newFolder(), 'queue.db');
  createQueueFile(path);
  let told = 0;
  const watch = watchCommits(path, () => told++);
  expect(watch.works).toBe(true);
  for (let round = 1; round <= 3; round++) {
    const before = told;
    const store = new QueueStore(path);
    store.send([{ id: `event-${round}`, head: '[{}]', body: Buffer.from('x') }]);
    await until('the commit is told', () => told > before);
    // The last connection takes the log away with it.
    store.close();
  }
  watch.close();
});

test('other files of the folder are not told of', async () => {
  const folder = newFolder();
  const [path, other] = [join(folder, 'queue.db'), join(folder, 'other.db')] as const;
  createQueueFile(path);
  createQueueFile(other);
  const told: string[] = [];
  const watches = [watchCommits(path, () => told.push('queue')), watchCommits(other, () => told.push('other'))];
  const store = new QueueStore(other);
  store.send([{ id: 'event', head: '[{}]', body: Buffer.from('x') }]);
  await until('the commit is told', () => told.includes('other'));
  expect(told).not.toContain('queue');
  store.close();
  watches.forEach((watch) => watch.close());
});

test('a file that is reached by a link is watched where it lies', async () => {
  const folder = newFolder();
  const [path, link] = [join(folder, 'queue.db'), join(folder, 'elsewhere', 'link.db')] as const;
  createQueueFile(path);
  mkdirSync(join(folder, 'elsewhere'));
  symlinkSync(path, link);
  let told = 0;
  const watch = watchCommits(link, () => told++);
  const store = new QueueStore(path);
  store.send([{ id: 'event', head: '[{}]', body: Buffer.from('x') }]);
  await until('the commit is told', () => told > 0);
  store.close();
  watch.close();
});

test('a folder that cannot be watched is told as such', () => {
  const watch = watchCommits(join(newFolder(), 'no', 'such', 'queue.db'), () => undefined);
  expect(watch.works).toBe(false);
  watch.close();
});

import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';

import { ConfigError } from '../errors.js';
import { newId } from '../ids.js';
import { providersOf, type Settings } from './settings.js';

/**
 * The data folder's own identity, made once, where any part keeps its data there; else undefined. Another folder at the
 * same path is another one: task queues carry it, so that nobody does the stale tasks of a folder that is gone.
 *
 * @throws ConfigError - where the folder cannot be written
 */
export async function dataId(settings: Settings): Promise<string | undefined> {
  if (!providersOf(settings).some((part) => part.embedded)) return undefined;
  const file = join(settings.dataDir, 'id');
  try {
    return (await read(file)) ?? (await make(settings.dataDir, file));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new ConfigError(
      `${file} cannot be written (${code}); make the folder writable, or name another with --dir DIR`,
    );
  }
}

async function read(file: string): Promise<string | undefined> {
  let id: string;
  try {
    id = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (/^[0-9a-f-]{36}$/.test(id)) return id;
  throw new ConfigError(`${file} is damaged; remove it while nothing of the pipeline runs`);
}

/** Written out of sight and linked to its name, so that of several processes one wins and none reads half an id. */
async function make(dataDir: string, file: string): Promise<string> {
  await mkdir(dataDir, { recursive: true });
  const draft = `${file}.${randomUUID()}`;
  const handle = await open(draft, 'wx');
  try {
    await handle.writeFile(`${newId()}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
  await syncFolder(dataDir);
  return (await read(file))!;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

import { lstat, opendir } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { compareBytes, sortByBytes } from '../byte-order.js';
import { folderOfPrefix, reservedFolder } from '../lake-keys.js';
import type { LakeObject } from '../lake.js';
import { codeOf, failure } from './lake-failures.js';
import type { LakeRoot } from './lake-root.js';

/** How many objects are looked at together. */
const together = 64;
/** Directory entries a read: the default, 32, makes a round to the thread pool for each 32 names. */
const entriesRead = 1_024;

/**
 * The objects whose key begins with `prefix` and comes after `after`, in order of the keys' bytes. Holds the names of one
 * folder, and of those above it, at a time; a folder that lies wholly before `after` is not read.
 */
export async function* listFolder(root: LakeRoot, prefix: string, after: string): AsyncGenerator<LakeObject> {
  const folder = folderOfPrefix(prefix);
  await root.isMade();
  try {
    await root.checkInside(resolve(root.path, folder), prefix);
  } catch (error) {
    if (await isGone(root, error)) return;
    throw failure(error, `listing ${prefix}`, root.path);
  }
  yield* listFrom(root, folder, { prefix, after });
}

interface Range {
  readonly prefix: string;
  readonly after: string;
}

async function* listFrom(root: LakeRoot, folder: string, range: Range): AsyncGenerator<LakeObject> {
  const names = await namesIn(root, folder, range);
  for (let at = 0; at < names.length;) {
    if (names[at]!.endsWith('/')) {
      yield* listFrom(root, folder + names[at++]!, range);
      continue;
    }
    const keys: string[] = [];
    for (; at < names.length && keys.length < together && !names[at]!.endsWith('/'); at++)
      keys.push(folder + names[at]!);
    for (const object of await Promise.all(keys.map((key) => look(root, key)))) if (object !== undefined) yield object;
  }
}

/** Files by name, folders with a "/" behind, which is what orders `app/…` behind `app-eu/…`. */
async function namesIn(root: LakeRoot, folder: string, { prefix, after }: Range): Promise<string[]> {
  const names: string[] = [];
  const path = join(root.path, folder);
  try {
    for await (const entry of await opendir(path, { bufferSize: entriesRead })) {
      if (entry.isFile()) {
        const key = folder + entry.name;
        if (key.startsWith(prefix) && compareBytes(key, after) > 0) names.push(entry.name);
      } else if (entry.isDirectory()) {
        const start = `${folder}${entry.name}/`;
        const wanted = start.startsWith(prefix) || prefix.startsWith(start);
        const before = compareBytes(start, after) < 0 && !after.startsWith(start);
        if (wanted && !before && start !== `${reservedFolder}/`) names.push(`${entry.name}/`);
      }
    }
  } catch (error) {
    if (!(await isGone(root, error))) throw failure(error, `listing ${folder}`, path);
  }
  return sortByBytes(names);
}

async function look(root: LakeRoot, key: string): Promise<LakeObject | undefined> {
  const path = join(root.path, key);
  try {
    const { size, mtime } = await lstat(path);
    return { key, bytes: size, writtenAt: mtime };
  } catch (error) {
    if (await isGone(root, error)) return undefined;
    throw failure(error, `listing ${key}`, path);
  }
}

/** Removed since it was named, and not merely out of reach with the whole lake, which throws `Unavailable`. */
async function isGone(root: LakeRoot, error: unknown): Promise<boolean> {
  if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') return false;
  await root.isMade();
  return true;
}

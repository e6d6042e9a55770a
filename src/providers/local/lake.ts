import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { link, lstat, open, readdir, rmdir, stat, unlink, utimes } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { LakeNotFound } from '../../errors.js';
import { checkKey, refused } from '../lake-keys.js';
import type { Lake, LakeObject } from '../lake.js';
import type { Provider } from '../provider.js';
import type { Finding } from '../queue.js';
import { checkFolderLake } from './lake-check.js';
import { DurableFolders } from './lake-durable.js';
import { codeOf, failure } from './lake-failures.js';
import { listFolder } from './lake-listing.js';
import { LakeRoot } from './lake-root.js';

const chunkBytes = 256 * 1_024;
/** What a killed put left behind is removed when it is so old; a put that was paused for longer begins again. */
const leftoverMs = 3_600_000;
const attempts = 5;

/**
 * A lake that is a folder: the key is the path. `path` is absolute or relative to the folder that holds `.catchment`;
 * default `.catchment/lake`. Any number of processes may use it at once.
 */
export function folderLake(options: { path?: string } = {}): Provider<Lake> {
  return {
    name: 'folder',
    kind: 'lake',
    embedded: true,
    open({ dataDir, part }) {
      const path = options.path === undefined ? join(dataDir, 'lake') : resolve(dirname(dataDir), options.path);
      return new FolderLake(new LakeRoot(resolve(path), join(dataDir, `${part}.folder`)));
    },
  };
}

class FolderLake implements Lake {
  readonly uri: string;
  readonly #root: LakeRoot;
  readonly #folders: DurableFolders;
  #nextSweep = 0;

  constructor(root: LakeRoot) {
    this.uri = pathToFileURL(root.path).href;
    this.#root = root;
    this.#folders = new DurableFolders(root.path);
  }

  async put(key: string, body: Uint8Array): Promise<'written' | 'kept'> {
    checkKey(key);
    const path = join(this.#root.path, key);
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#sweep();
        return await this.#write(key, path, body);
      } catch (error) {
        // The lake is not made yet; or `remove` took the folder while it was empty; or a sweep took the file of a put
        // that had been paused for long.
        if (codeOf(error) !== 'ENOENT' || attempt === attempts) throw failure(error, `writing ${key}`, path);
        await this.#root.make();
      }
    }
  }

  async get(key: string): Promise<AsyncIterable<Uint8Array>> {
    checkKey(key);
    const path = join(this.#root.path, key);
    try {
      await this.#root.checkInside(dirname(path), key);
      const found = await lstat(path);
      if (found.isSymbolicLink()) throw refused(key, 'is a symbolic link');
      if (!found.isFile()) throw notFound(key);
    } catch (error) {
      throw await this.#readFailure(error, key, path);
    }
    return this.#chunks(key, path);
  }

  list(prefix: string, after = ''): AsyncIterable<LakeObject> {
    return listFolder(this.#root, prefix, after);
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) checkKey(key);
    await this.#root.isMade();
    const folders = new Set<string>();
    for (const key of keys) {
      const path = join(this.#root.path, key);
      try {
        await this.#root.checkInside(dirname(path), key);
        await unlink(path);
        folders.add(dirname(path));
      } catch (error) {
        const notThere = codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR' || codeOf(error) === 'EISDIR';
        if (!notThere) throw failure(error, `removing ${key}`, path);
      }
    }
    for (const folder of folders) await this.#removeEmpty(folder);
  }

  check(): Promise<readonly Finding[]> {
    return checkFolderLake(this, this.#root.path);
  }

  /** Written and synced out of sight, then linked to its key: whole or not at all, and only where the key is free. */
  async #write(key: string, path: string, body: Uint8Array): Promise<'written' | 'kept'> {
    const temporary = join(this.#root.incoming, randomUUID());
    const begun = Date.now();
    try {
      const file = await open(temporary, 'wx', 0o444);
      try {
        await file.writeFile(body);
        await file.sync();
      } finally {
        await file.close();
      }
      await this.#root.makeInside(dirname(path), key);
      const outcome = await this.#link(temporary, path, key);
      // Else a process paused here would make an object that looks older than a proof which did not see it.
      if (outcome === 'written' && Date.now() - begun > 1_000) await utimes(path, new Date(), new Date());
      // Also where the key was taken: the put that took it may not have come this far yet.
      await this.#folders.sync(dirname(path));
      return outcome;
    } finally {
      await unlink(temporary).catch(() => undefined);
    }
  }

  async #link(temporary: string, path: string, key: string): Promise<'written' | 'kept'> {
    try {
      await link(temporary, path);
      return 'written';
    } catch (error) {
      if (codeOf(error) === 'ENOTDIR') throw refused(key, 'needs a folder where an object stands');
      if (codeOf(error) !== 'EEXIST') throw error;
      if (!(await lstat(path)).isFile()) throw refused(key, 'names a folder or a symbolic link');
      return 'kept';
    }
  }

  async *#chunks(key: string, path: string): AsyncGenerator<Uint8Array> {
    try {
      const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        for (;;) {
          const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(chunkBytes), 0, chunkBytes);
          if (bytesRead === 0) return;
          yield buffer.subarray(0, bytesRead);
        }
      } finally {
        await file.close();
      }
    } catch (error) {
      throw await this.#readFailure(error, key, path);
    }
  }

  /** An object is gone only where the lake itself is there. */
  async #readFailure(error: unknown, key: string, path: string): Promise<Error> {
    const code = codeOf(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') return failure(error, `reading ${key}`, path);
    await this.#root.isMade();
    return notFound(key);
  }

  async #removeEmpty(folder: string): Promise<void> {
    if (folder === this.#root.path) return;
    try {
      await rmdir(folder);
    } catch {
      return; // Not empty, or gone already: both are as they should be.
    }
    await this.#removeEmpty(dirname(folder));
  }

  async #sweep(): Promise<void> {
    if (Date.now() < this.#nextSweep) return;
    for (const name of await readdir(this.#root.incoming)) {
      const path = join(this.#root.incoming, name);
      try {
        if (Date.now() - (await stat(path)).mtimeMs > leftoverMs) await unlink(path);
      } catch {
        // Its own put, or another sweep, was faster.
      }
    }
    this.#nextSweep = Date.now() + leftoverMs;
  }
}

function notFound(key: string): LakeNotFound {
  return new LakeNotFound(`the lake has no object ${key}`, { key });
}

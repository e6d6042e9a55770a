import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';

import { codeOf } from './lake-failures.js';

/** Makes the folder's entries durable. Resolves with what tells the folder from a later one of the same name. */
async function syncFolder(folder: string): Promise<string> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const { dev, ino, birthtimeNs } = await handle.stat({ bigint: true });
    await handle.sync();
    return `${dev}:${ino}:${birthtimeNs}`;
  } finally {
    await handle.close();
  }
}

const mostRemembered = 1_000;
/** Above the lake, a folder that we may not open or sync is none where anything of ours was made. */
const notOurs: readonly (string | undefined)[] = ['EACCES', 'EPERM', 'EROFS', 'EINVAL'];

/**
 * Makes an entry durable together with all folders above it, those that hold the lake included. A folder that is there
 * may have been made a moment ago by another process that has not synced it yet, so every process that writes syncs each
 * of them once.
 */
export class DurableFolders {
  readonly #root: string;
  readonly #durable = new Map<string, string>();

  constructor(root: string) {
    this.#root = root;
  }

  async sync(folder: string): Promise<void> {
    const identity = await this.#syncOne(folder);
    const parent = dirname(folder);
    if (parent === folder || this.#durable.get(folder) === identity) return;
    await this.sync(parent);
    if (this.#durable.size >= mostRemembered) this.#durable.clear();
    this.#durable.set(folder, identity);
  }

  async #syncOne(folder: string): Promise<string> {
    try {
      return await syncFolder(folder);
    } catch (error) {
      if (folder.length < this.#root.length && notOurs.includes(codeOf(error))) return 'not ours';
      throw error;
    }
  }
}

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes the folder's entries durable. Resolves with what tells the folder from a later one of the same name. */
export async function syncFolder(folder: string): Promise<string> {
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

/**
 * Makes an entry durable together with all folders above it, up to the root. A folder that is there may have been made
 * a moment ago by another process that has not synced it yet, so each is synced once by every process that writes to it.
 */
export class DurableFolders {
  readonly #root: string;
  readonly #durable = new Map<string, string>();

  constructor(root: string) {
    this.#root = root;
  }

  async sync(folder: string): Promise<void> {
    const identity = await syncFolder(folder);
    if (folder === this.#root || this.#durable.get(folder) === identity) return;
    await this.sync(dirname(folder));
    if (this.#durable.size >= mostRemembered) this.#durable.clear();
    this.#durable.set(folder, identity);
  }
}

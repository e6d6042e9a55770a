import { mkdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { Unavailable } from '../../errors.js';
import { refused, reservedFolder } from '../lake-keys.js';
import { codeOf, failure } from './lake-failures.js';

/**
 * The folder that a lake is, told apart from one that only stands where the lake should be. An unmounted disk leaves an
 * empty folder: taking that for the lake would call every object gone, and hide new ones beneath the next mount. So the
 * lake has a mark inside, and this machine remembers, outside, that it has seen it.
 */
export class LakeRoot {
  readonly path: string;
  /** Where objects are written before they are linked to their key; its presence is the mark. */
  readonly incoming: string;
  readonly #record: string;
  #seen = false;

  /** `record`: the file, outside the lake, that remembers the folder. */
  constructor(path: string, record: string) {
    this.path = path;
    this.incoming = join(path, reservedFolder);
    this.#record = record;
  }

  /** Makes the lake where there never was one; durable with its first object. Throws `Unavailable` where there was. */
  async make(): Promise<void> {
    if (await this.isMade()) return;
    try {
      await mkdir(this.incoming, { recursive: true });
    } catch (error) {
      throw failure(error, 'making the lake', this.path);
    }
    await this.isMade();
  }

  /** false: no lake was ever made here. Throws `Unavailable` where one was and is not there now. */
  async isMade(): Promise<boolean> {
    try {
      await stat(this.incoming);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR')
        throw failure(error, 'opening the lake', this.path);
      if (!this.#seen && (await this.#recorded()) !== this.path) return false;
      throw new Unavailable(
        `the lake at ${this.path} is not there any more; mount or restore it, or, if it was deleted on purpose, delete ${this.#record} and start again`,
        { path: this.path },
      );
    }
    if (!this.#seen) await this.#remember();
    return true;
  }

  /** Throws `LakeKeyRefused` where a symbolic link within the lake leads elsewhere; ENOENT where there is no folder. */
  async checkInside(folder: string, key: string): Promise<void> {
    const [root, real] = await Promise.all([realpath(this.path), realpath(folder)]);
    if (real !== root + folder.slice(this.path.length)) {
      throw refused(key, `leads through a symbolic link to ${real}`);
    }
  }

  /** Makes the folder and those above it, never the root itself: once gone, that must not come back empty. */
  async makeInside(folder: string, key: string): Promise<void> {
    try {
      await this.checkInside(folder, key);
      return;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || folder === this.path) throw error;
    }
    await this.makeInside(dirname(folder), key);
    try {
      await mkdir(folder);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      await this.checkInside(folder, key);
    }
  }

  async #recorded(): Promise<string | undefined> {
    try {
      return await readFile(this.#record, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw failure(error, 'opening the lake', this.#record);
    }
  }

  async #remember(): Promise<void> {
    try {
      if ((await this.#recorded()) !== this.path) {
        await mkdir(dirname(this.#record), { recursive: true });
        await writeFile(this.#record, this.path);
      }
    } catch {
      // Who may read the lake but not write beside it (`show`, a read-only mount) still knows for its own lifetime.
    }
    this.#seen = true;
  }
}

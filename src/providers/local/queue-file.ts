import { accessSync, constants, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import type { Finding } from '../queue.js';
import { createQueueFile } from './queue-create.js';
import { QueueStore } from './queue-store.js';
import { watchCommits, type CommitWatch } from './queue-watch.js';

const idleMs = 1000;
const keptSpareBytes = 2 ** 20;
const keptSpareBytesInFlow = 16 * 2 ** 20;
const lowDiskBytes = 2 ** 30;

/** Another process holds the lock: ask again in a moment. */
export function isBusy(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code);
}

/** The store at a path: opened when first used, opened anew after an error, and watched for being taken away. */
export class QueueFile {
  readonly #path: string;
  readonly #onCommit: () => void;
  #store: QueueStore | undefined;
  #watch: CommitWatch | undefined;
  #inode: number | undefined;
  /** Whether this process has ever used the file with success. */
  #worked = false;
  #version = 0;
  #usedAt = 0;

  /** `onCommit` is called when any process, this one too, has changed the file, as long as `watched`. */
  constructor(path: string, onCommit: () => void) {
    this.#path = path;
    this.#onCommit = onCommit;
  }

  get watched(): boolean {
    return this.#watch?.works ?? false;
  }

  /** Runs one call of the store. Throws what libsql and the file system throw; `describe` has words for it. */
  use<Result>(call: (store: QueueStore) => Result): Result {
    try {
      const result = call(this.#open());
      // What was written to a file that is no longer there is lost: it must not count as done.
      this.#mustBeInPlace();
      this.#worked = true;
      return result;
    } catch (error) {
      if (!isBusy(error)) this.close();
      throw error;
    }
  }

  /** Notes that something flowed, so that tidying waits. */
  used(): void {
    this.#usedAt = Date.now();
  }

  /** One short step of giving disk space back; returns in how many milliseconds to come again, if at all. */
  tidy(): number | undefined {
    const store = this.#store;
    if (store === undefined) return undefined;
    const version = store.version();
    if (version !== this.#version) this.used();
    this.#version = version;
    const idle = Date.now() - this.#usedAt >= idleMs;
    const kept = idle ? keptSpareBytes : Math.max(keptSpareBytesInFlow, store.fileBytes() / 2);
    if (store.spareBytes() > kept) {
      store.shrink();
      return idle ? 10 : 100;
    }
    if (!idle) return 250;
    if (!this.#logIsEmpty()) store.checkpoint();
    return this.#logIsEmpty() ? undefined : 250;
  }

  check(): Finding[] {
    const folder = dirname(this.#path);
    const backlog = this.use((store) => store.backlog());
    accessSync(folder, constants.W_OK);
    const { bavail, bsize } = statfsSync(folder);
    const freeMB = Math.floor((bavail * bsize) / 1e6);
    return [
      { level: 'ok', what: `${this.#path} opens; ${backlog.waiting + backlog.leased} messages in it` },
      bavail * bsize > lowDiskBytes
        ? { level: 'ok', what: `${freeMB} MB free on the disk of ${folder}` }
        : { level: 'warning', what: `only ${freeMB} MB free on the disk of ${folder}`, remedy: 'Free space there.' },
    ];
  }

  close(): void {
    const store = this.#store;
    this.#store = undefined;
    this.#watch?.close();
    this.#watch = undefined;
    try {
      store?.close();
    } catch {
      // It is closed because it failed already, or nothing is left to do with it: every send was durable before.
    }
  }

  #open(): QueueStore {
    if (this.#store !== undefined && this.#inodeNow() !== this.#inode) this.close();
    if (this.#store === undefined) {
      // Made at the first use only: where a disk is unmounted, a second file in its place would hide the first one's messages.
      if (!this.#worked) createQueueFile(this.#path);
      else if (this.#inodeNow() === undefined) throw new FileTakenAway();
      this.#inode = this.#inodeNow();
      this.#store = new QueueStore(this.#path);
      this.#watch = watchCommits(this.#path, this.#onCommit);
      this.used();
    }
    return this.#store;
  }

  #mustBeInPlace(): void {
    if (this.#inodeNow() !== this.#inode) throw new FileTakenAway();
  }

  #inodeNow(): number | undefined {
    return statSync(this.#path, { throwIfNoEntry: false })?.ino;
  }

  #logIsEmpty(): boolean {
    return (statSync(`${this.#path}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0;
  }
}

class FileTakenAway extends Error {
  readonly code = 'TAKEN_AWAY';
}

const remedies: Record<string, string> = {
  TAKEN_AWAY: 'it was removed or replaced while in use; put it back, or start the processes that use it again',
  SQLITE_FULL: 'its disk is full; free space there, and the queue goes on by itself',
  ENOSPC: 'its disk is full; free space there, and the queue goes on by itself',
  SQLITE_CORRUPT: 'it is damaged; stop what uses it, keep a copy, and rescue its messages with `sqlite3 FILE .recover`',
  SQLITE_NOTADB: 'it is not a queue; move it away, and a new one is made',
  SQLITE_ERROR: 'it is not a queue, or one of another release; move it away, and a new one is made',
  SQLITE_BUSY: 'another process has held its lock for too long; look for one that is stopped or on a stalled disk',
  SQLITE_READONLY: 'it cannot be written; give this user write access to the file and its folder',
  SQLITE_CANTOPEN: 'it cannot be opened; give this user access to the file and its folder',
  SQLITE_IOERR: 'its disk fails to read or write; see the system log',
  EACCES: 'it cannot be opened; give this user access to the file and its folder',
  EROFS: 'its disk is mounted read-only',
  ENOTDIR: 'a part of its path is no folder; move that file away',
  EEXIST: 'a part of its path is no folder; move that file away',
};

/** What went wrong with the file at `path`, and what to do; only codes of libsql and Node, never their words. */
export function describe(error: unknown, path: string): string {
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string') return `The queue in ${path} failed: ${String(error)}`;
  // SQLITE_IOERR_FSYNC is a case of SQLITE_IOERR.
  const general = code.split('_', 2).join('_');
  const remedy = remedies[code] ?? remedies[general] ?? 'the queue tries again with the next call';
  return `The queue in ${path} failed (${code}): ${remedy}.`;
}

import { realpathSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

export interface CommitWatch {
  /** Whether commits are told; where the system has no such watch to give, they are not. */
  readonly works: boolean;
  close(): void;
}

/**
 * Calls `onCommit` whenever any process writes to the log of the SQLite file at `path`, so that nobody has to look often. The
 * commit itself follows when the disk has what was written, which nothing tells of: look again for a while.
 * The folder is watched and not the log, which SQLite removes and makes anew.
 */
export function watchCommits(path: string, onCommit: () => void): CommitWatch {
  try {
    // SQLite keeps the log beside the file itself, wherever a link to it lies.
    const file = realpathSync(path);
    const log = `${basename(file)}-wal`;
    const watcher = watch(dirname(file), { persistent: false }, (_, name) => {
      if (name === log || name === null) onCommit();
    });
    const state = { works: true, close: () => watcher.close() };
    // The folder went away, or the watch did.
    watcher.on('error', () => (state.works = false));
    return state;
  } catch {
    // No more watches for this user, or a file system that has none: looking now and then goes on.
    return { works: false, close: () => undefined };
  }
}

import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import Database from 'libsql';

import { newId } from '../../ids.js';

// Bodies lie apart from what changes: a lease rewrites one narrow row. `at` is when a message became free (free rows are
// never compared with the clock, so setting it back hides none) or, leased, until when it is hidden.
const schema = `
  CREATE TABLE message (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, head TEXT NOT NULL, body BLOB NOT NULL);
  CREATE TABLE lease (
    seq INTEGER PRIMARY KEY, leased INTEGER NOT NULL, at INTEGER NOT NULL, deliveries INTEGER NOT NULL, bytes INTEGER NOT NULL
  );
  CREATE INDEX lease_by_time ON lease (leased, at);
  CREATE TABLE total (messages INTEGER NOT NULL);
  INSERT INTO total VALUES (0);
`;
// Large enough that a packed message is few pages, small enough that a single small one is not much to write.
const pageBytes = 16384;

/** Makes the queue's file unless it is there. It appears whole, so that many processes may start at once. */
export function createQueueFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  if (statSync(path, { throwIfNoEntry: false }) === undefined) linkNewFile(path);
  // Whoever made the file and its folders may have died before this: each process sees to it before its first send.
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) syncFolder(folder);
}

function linkNewFile(path: string): void {
  const draft = `${path}.${newId()}`;
  try {
    const db = new Database(draft);
    // Both must be set before the log mode, or they stay as they were without a word.
    db.exec(`PRAGMA page_size=${pageBytes}`);
    db.exec('PRAGMA auto_vacuum=INCREMENTAL');
    db.exec('PRAGMA journal_mode=WAL');
    db.exec(schema);
    // Numbers begin at the moment: a receipt of a file that stood here before fits no message of this one.
    db.exec(`INSERT INTO sqlite_sequence VALUES ('message', ${Date.now() * 1000})`);
    db.close();
    sync(draft);
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    for (const suffix of ['', '-wal', '-shm']) rmSync(draft + suffix, { force: true });
  }
}

function syncFolder(folder: string): void {
  try {
    sync(folder);
  } catch (error) {
    // A folder that this user may not read was not made by this user.
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
  }
}

function sync(path: string): void {
  const handle = openSync(path, 'r');
  fsyncSync(handle);
  closeSync(handle);
}

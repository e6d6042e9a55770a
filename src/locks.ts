import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import Database from 'libsql';

import { describeError, Unavailable } from './errors.js';

/** Who holds a lock. */
export interface Holder {
  readonly pid: number;
  /** For people: `the warehouse of /data/.catchment`. */
  readonly what: string;
  /** ISO 8601. */
  readonly since: string;
  /** Where the holder can be reached, where it can. */
  readonly at?: string;
}

export interface Lock {
  release(): void;
}

/** How long a taker waits for those that only look (`holder`) to be gone, in milliseconds. */
const takeMs = 50;

/** A database that nothing refers to is closed by the garbage collector, and its lock is gone. */
const held = new Set<Database.Database>();

/**
 * Takes the lock, or returns undefined where another holder has it, in this process or in another. It is an open SQLite
 * transaction, so the kernel releases it at the moment the holder dies, however it dies. Throws `Unavailable` where the
 * file cannot be made. Nothing but this module may open the file: POSIX drops a process's locks when it closes any of
 * its descriptors of the file.
 */
export function tryLock(file: string, about: { readonly what: string; readonly at?: string }): Lock | undefined {
  const database = begun(file, 'BEGIN EXCLUSIVE', takeMs);
  if (database === undefined) return undefined;
  try {
    const holder: Holder = { pid: process.pid, ...about, since: new Date().toISOString() };
    writeFileSync(`${record(file)}.${process.pid}`, JSON.stringify(holder));
    renameSync(`${record(file)}.${process.pid}`, record(file));
  } catch (error) {
    database.close();
    throw new Unavailable(`${record(file)} cannot be written (${describeError(error)})`, { path: record(file) });
  }
  held.add(database);
  return {
    release() {
      if (!held.delete(database)) return;
      rmSync(record(file), { force: true });
      database.close();
    },
  };
}

/** Who holds the lock now; undefined where nobody does, or the holder has not yet said who it is. */
export function holder(file: string): Holder | undefined {
  let told: Holder;
  try {
    told = JSON.parse(readFileSync(record(file), 'utf8')) as Holder;
  } catch {
    return undefined;
  }
  const database = begun(file, 'BEGIN; SELECT count(*) FROM sqlite_master', 0);
  database?.close();
  return database === undefined ? told : undefined;
}

function record(file: string): string {
  return `${file}.json`;
}

/** A database in a transaction; undefined where another holds the lock. */
function begun(file: string, statements: string, timeout: number): Database.Database | undefined {
  let database: Database.Database | undefined;
  try {
    mkdirSync(dirname(file), { recursive: true });
    database = new Database(file, { timeout });
    database.exec(statements);
    return database;
  } catch (error) {
    database?.close();
    if ((error as { code?: string }).code === 'SQLITE_BUSY') return undefined;
    throw new Unavailable(`the lock ${file} cannot be opened (${describeError(error)}); is its folder writable?`, {
      path: file,
    });
  }
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';

import { tryLock } from '../../locks.js';
import type { Calls } from './duckdb-calls.js';
import { DuckDBEngine } from './duckdb-engine.js';
import { serve } from './duckdb-server.js';

/** This process has the database open, and answers the others' calls. */
export interface Owner {
  calls(signal: AbortSignal): Promise<Calls>;
  /** Counts a call of this process's own until `leave`. */
  enter(): { leave(): void };
  /** Resolves when all calls have ended and another process can be the owner. */
  close(): Promise<void>;
}

/** Longest path of a socket, in bytes, that both Linux and macOS take. */
const socketPathBytes = 103;

export function lockFile(database: string): string {
  return `${withoutExtension(database)}.lock`;
}

/**
 * Takes the database where no other process has it; else undefined. DuckDB's own lock would not do: two threads of one
 * process may both open the file, and silently lose each other's rows. `yields` is asked before an idle owner changes
 * tables for another process: true where the database would be better off there. `onGone`: the owner must be closed,
 * since it yielded or since DuckDB gave up.
 */
export async function tryToOwn(
  database: string,
  yields: () => boolean,
  onGone: () => void,
): Promise<Owner | undefined> {
  const socket = socketPath(database);
  const release = () => {
    lock?.release();
    if (dirname(socket) !== dirname(database)) rmSync(dirname(socket), { recursive: true, force: true });
  };
  const lock = tryLock(lockFile(database), { what: `the warehouse ${database}`, at: socket });
  if (lock === undefined) {
    release();
    return undefined;
  }
  try {
    const own = new Set<object>();
    let idle: (() => void) | undefined;
    // One that was killed has left its socket.
    rmSync(socket, { force: true });
    const engine = DuckDBEngine.open(database, onGone);
    // Whoever calls is told why; where nobody does, nothing is lost.
    engine.catch(onGone);
    const calls = async (signal: AbortSignal) => (await engine).calls(signal);
    const serving = await serve(socket, calls, () => {
      const better = own.size === 0 && serving.active() === 1 && yields();
      if (better) onGone();
      return better;
    });
    return {
      calls,
      enter() {
        const call = {
          leave() {
            own.delete(call);
            if (own.size === 0) idle?.();
          },
        };
        own.add(call);
        return call;
      },
      async close() {
        await serving.close();
        if (own.size > 0) await new Promise<void>((resolve) => (idle = resolve));
        await engine.then((opened) => opened.close()).catch(() => undefined);
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

function withoutExtension(database: string): string {
  return database.slice(0, database.length - extname(database).length);
}

function socketPath(database: string): string {
  const beside = `${withoutExtension(database)}.sock`;
  if (Buffer.byteLength(beside) <= socketPathBytes) return beside;
  return join(mkdtempSync(join(tmpdir(), 'catchment-')), 'warehouse.sock');
}

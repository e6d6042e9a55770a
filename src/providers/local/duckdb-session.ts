import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

import { Unavailable } from '../../errors.js';

/** A connection within one transaction. */
export interface Session {
  run(sql: string): Promise<void>;
  /** Integers come as strings where they are BIGINT or wider, so that none loses digits. */
  rows(sql: string): Promise<readonly Record<string, unknown>[]>;
}

/**
 * Runs `work` in one transaction, on a connection of its own, which also holds its temporary tables. After an abort of the
 * signal the running statement is interrupted and nothing is kept. Rejects with what DuckDB said, or with `Unavailable`.
 */
export async function inTransaction<T>(
  instance: DuckDBInstance,
  end: 'COMMIT' | 'ROLLBACK',
  work: (session: Session) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const connection = await instance.connect();
  const interrupts = interruptOnAbort(connection, signal);
  try {
    await connection.run('BEGIN TRANSACTION');
    try {
      const result = await work(sessionOn(connection, signal));
      stopIfAborted(signal);
      await connection.run(end);
      return result;
    } catch (error) {
      interrupts.stop();
      // Where the commit itself failed, DuckDB has rolled back, and there is no transaction left to end.
      await connection.run('ROLLBACK').catch(() => undefined);
      throw error;
    }
  } finally {
    interrupts.stop();
    connection.closeSync();
  }
}

const interruptAgainMs = 100;

/** DuckDB forgets an interrupt that comes before the statement has begun to run, so it is repeated until `stop`. */
export function interruptOnAbort(connection: DuckDBConnection, signal: AbortSignal | undefined): { stop(): void } {
  let again: NodeJS.Timeout | undefined;
  const interrupt = () => {
    connection.interrupt();
    again = setInterval(() => connection.interrupt(), interruptAgainMs);
  };
  signal?.addEventListener('abort', interrupt);
  return {
    stop() {
      signal?.removeEventListener('abort', interrupt);
      clearInterval(again);
    },
  };
}

function sessionOn(connection: DuckDBConnection, signal: AbortSignal | undefined): Session {
  return {
    async run(sql) {
      stopIfAborted(signal);
      await connection.run(sql);
    },
    async rows(sql) {
      stopIfAborted(signal);
      return (await connection.runAndReadAll(sql)).getRowObjectsJson();
    },
  };
}

/** An interrupt between two statements stops none of them. */
function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new Unavailable('given up: the caller no longer waits');
}

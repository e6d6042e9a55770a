import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { DuckDBInstance } from '@duckdb/node-api';
import pLimit, { type LimitFunction } from 'p-limit';

import { describeError, Unavailable } from '../../errors.js';
import type { Finding } from '../queue.js';
import type { Amended, Change, Load, LoadResult, TableShape } from '../warehouse.js';
import { amend } from './duckdb-amend.js';
import * as reading from './duckdb-audit.js';
import type { Calls } from './duckdb-calls.js';
import { checkTable } from './duckdb-columns.js';
import { failure, fileMessage, isFatal } from './duckdb-errors.js';
import { loaded } from './duckdb-held.js';
import { load } from './duckdb-load.js';
import { applyTable, planTable } from './duckdb-migrate.js';
import { query } from './duckdb-query.js';
import { inTransaction, type Session } from './duckdb-session.js';
import { initialSql, viewsSql } from './duckdb-sql.js';

/** Loads that run at once, each of another table: every one takes a thread of Node's pool of four. */
const loadsAtOnce = 2;
/** The log that DuckDB replays when it opens the file; above this it is taken into the file once no load runs. */
const quickLogBytes = 16_000_000;
const idleMs = 2_000;
const littleSpaceBytes = 1_000_000_000;

/** The open database file, of which there can be only one in all processes: nothing here knows of the others. */
export class DuckDBEngine {
  readonly #path: string;
  readonly #instance: DuckDBInstance;
  readonly #loads = pLimit(loadsAtOnce);
  readonly #turns = new Map<string, LimitFunction>();
  readonly #onFatal: () => void;
  #idle: NodeJS.Timeout | undefined;

  private constructor(path: string, instance: DuckDBInstance, onFatal: () => void) {
    this.#path = path;
    this.#instance = instance;
    this.#onFatal = onFatal;
  }

  /** `onFatal`: DuckDB has given the database up, and it must be opened anew. Throws `Unavailable`. */
  static async open(path: string, onFatal: () => void): Promise<DuckDBEngine> {
    try {
      const instance = await DuckDBInstance.create(path, { threads: '1', checkpoint_threshold: '256MB' });
      await inTransaction(instance, 'COMMIT', async (session) => {
        await session.run(`SET GLOBAL TimeZone = 'UTC'`);
        for (const sql of initialSql) await session.run(sql);
        const views = await session.rows(`SELECT 1 FROM duckdb_views() WHERE view_name = 'catchment_loads'`);
        if (views.length === 0) for (const sql of viewsSql([])) await session.run(sql);
      });
      return new DuckDBEngine(path, instance, onFatal);
    } catch (error) {
      throw new Unavailable(
        `the warehouse ${path} cannot be opened (${fileMessage(error)}); where the file is damaged, move it away: ` +
          `the lake still holds every event, and a new warehouse is filled from it`,
        { path },
      );
    }
  }

  /** What an abort of the signal gives up. */
  calls(signal: AbortSignal): Calls {
    return {
      load: (plan, staging) => this.#change(plan, staging, 'COMMIT', signal),
      probe: async (plan, staging) => {
        await this.#change(plan, staging, 'ROLLBACK', signal);
      },
      migrate: (tables, how) => this.#migrate(tables, how),
      owesFrom: (table) => this.#read(table, (session) => reading.owesFrom(session, table)),
      missing: (table, ...asked) => this.#read(table.name, (session) => reading.missing(session, table, ...asked)),
      loaded: (table, want) => this.#read(table, (session) => loaded(session, table, want)),
      rejections: (table, want) => this.#read(table, (session) => reading.rejections(session, table, want)),
      audit: (table, since) => this.#read(table.name, (session) => reading.audit(session, table, since)),
      amend: (table) => this.#amend(table),
      check: () => this.#check(),
      query: (sql) => query(this.#instance, sql, signal),
    };
  }

  /** Only after every call has ended. */
  async close(): Promise<void> {
    clearTimeout(this.#idle);
    await this.#checkpoint();
    this.#instance.closeSync();
  }

  async #check(): Promise<readonly Finding[]> {
    try {
      const { bavail, bsize } = await statfs(dirname(this.#path));
      const free = bavail * bsize;
      const what = `warehouse ${this.#path}: open, ${(free / 1e9).toFixed(1)} GB free`;
      if (free >= littleSpaceBytes) return [{ level: 'ok', what }];
      return [{ level: 'warning', what, remedy: 'free some space on the disk, or move the warehouse' }];
    } catch (error) {
      return [{ level: 'error', what: `warehouse ${this.#path}: ${describeError(error)}` }];
    }
  }

  async #change(plan: Load, staging: string, end: 'COMMIT' | 'ROLLBACK', signal: AbortSignal): Promise<LoadResult> {
    const table = plan.table.name;
    const root = fileURLToPath(staging);
    clearTimeout(this.#idle);
    try {
      // Two loads of one table would both insert an event that neither sees in the other's transaction.
      return await this.#turn(table)(() =>
        this.#loads(() =>
          inTransaction(
            this.#instance,
            end,
            async (session) => {
              await checkTable(session, plan.table);
              return load(session, plan, root, end === 'ROLLBACK');
            },
            signal,
          ),
        ),
      );
    } catch (error) {
      this.#notice(error);
      throw failure(error, `loading ${table}`, { table, root, load: plan });
    } finally {
      this.#checkpointWhenIdle();
    }
  }

  async #migrate(tables: readonly TableShape[], how: 'plan' | 'apply'): Promise<Change[]> {
    const changes: Change[] = [];
    const conflicts: Error[] = [];
    for (const shape of tables) {
      try {
        changes.push(...(await this.#migrateTable(shape, how)));
      } catch (error) {
        // One table's conflict holds up only itself.
        conflicts.push(error as Error);
      }
    }
    if (conflicts.length > 0) throw conflicts[0]!;
    return changes;
  }

  async #migrateTable(shape: TableShape, how: 'plan' | 'apply'): Promise<Change[]> {
    try {
      if (how === 'plan')
        return await inTransaction(this.#instance, 'ROLLBACK', (session) => planTable(session, shape));
      // In turn with each other, since all of them make the views anew, and with the table's loads.
      return await this.#turn('')(() => this.#turn(shape.name)(() => applyTable(this.#instance, shape)));
    } catch (error) {
      this.#notice(error);
      throw failure(error, `migrating ${shape.name}`, { table: shape.name });
    }
  }

  async #amend(table: TableShape): Promise<Amended> {
    try {
      return await this.#turn(table.name)(() =>
        inTransaction(this.#instance, 'COMMIT', (session) => amend(session, table)),
      );
    } catch (error) {
      this.#notice(error);
      throw failure(error, `amending the manifest of ${table.name}`, { table: table.name });
    }
  }

  async #read<T>(table: string, work: (session: Session) => Promise<T>): Promise<T> {
    try {
      return await inTransaction(this.#instance, 'ROLLBACK', work);
    } catch (error) {
      this.#notice(error);
      throw failure(error, `reading ${table}`, { table });
    }
  }

  #turn(name: string): LimitFunction {
    const turn = this.#turns.get(name) ?? pLimit(1);
    this.#turns.set(name, turn);
    return turn;
  }

  #notice(error: unknown): void {
    if (isFatal(error)) this.#onFatal();
  }

  #checkpointWhenIdle(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      if (this.#loads.activeCount === 0) void this.#checkpointIfLong();
    }, idleMs).unref();
  }

  async #checkpointIfLong(): Promise<void> {
    const log = await stat(`${this.#path}.wal`).catch(() => undefined);
    if (log !== undefined && log.size > quickLogBytes) await this.#checkpoint();
  }

  /** Beside another transaction DuckDB refuses; then the log stays as it is, which costs nothing but time at the next start. */
  async #checkpoint(): Promise<void> {
    const connection = await this.#instance.connect();
    await connection.run('CHECKPOINT').catch(() => undefined);
    connection.closeSync();
  }
}

import { dirname, join, resolve } from 'node:path';

import type { Lake } from '../lake.js';
import type { Provider } from '../provider.js';
import type { Finding } from '../queue.js';
import type {
  Amended,
  Audit,
  Change,
  Held,
  Load,
  LoadResult,
  TableShape,
  WantedRejections,
  Warehouse,
} from '../warehouse.js';
import { heldOf, heldSql } from './duckdb-held.js';
import { Ownership } from './duckdb-ownership.js';
import { folderLake } from './lake.js';

/**
 * A warehouse in a DuckDB file. `path` is absolute or relative to the folder that holds `.catchment`; default
 * `.catchment/warehouse.duckdb`. Any number of processes may use it at once: the first to call opens the file, and the
 * others ask that process over a Unix socket beside it.
 */
export function duckdb(options: { path?: string } = {}): Provider<Warehouse> {
  return {
    name: 'duckdb',
    kind: 'warehouse',
    embedded: true,
    open(place) {
      const { dataDir } = place;
      const path =
        options.path === undefined ? join(dataDir, 'warehouse.duckdb') : resolve(dirname(dataDir), options.path);
      const staging = folderLake({ path: join(dataDir, 'staging') }).open({ ...place, part: 'staging' });
      return new SharedDuckDB(resolve(path), staging);
    },
  };
}

class SharedDuckDB implements Warehouse {
  readonly cadence = { everyMs: 200, maxFiles: 100 };
  readonly limits = {
    stringBytes: 16_000_000,
    jsonBytes: 16_000_000,
    jsonDepth: 500,
    minTime: '0001-01-01T00:00:00.000Z',
    maxTime: '9999-12-31T23:59:59.999Z',
  };

  /** Beside the file: DuckDB reads load files off a disk alone. */
  readonly staging: Lake;
  readonly #database: Ownership;

  constructor(path: string, staging: Lake) {
    this.staging = staging;
    this.#database = new Ownership(path);
  }

  canRead(lakeUri: string): boolean {
    return lakeUri.startsWith('file://');
  }

  async migrate(tables: readonly TableShape[], how: 'plan' | 'apply'): Promise<Change[]> {
    return this.#database.change((calls) => calls.migrate(tables, how));
  }

  async probe(load: Load, staging: Lake, signal: AbortSignal): Promise<void> {
    return this.#database.change((calls) => calls.probe(load, staging.uri), signal);
  }

  async load(load: Load, staging: Lake, signal: AbortSignal): Promise<LoadResult> {
    return this.#database.change((calls) => calls.load(load, staging.uri), signal);
  }

  async owesFrom(table: string): Promise<Date> {
    return new Date(await this.#database.ask((calls) => calls.owesFrom(table)));
  }

  async missing(
    table: TableShape,
    batches: readonly string[],
    at: 'any version' | 'this version or higher',
    anew?: string,
  ): Promise<string[]> {
    return this.#database.ask((calls) => calls.missing(table, batches, at, anew));
  }

  async loaded(table: string, want: { after: string; upTo: string; limit: number }): Promise<string[]> {
    return this.#database.ask((calls) => calls.loaded(table, want));
  }

  async *held(table: string, eventKeys?: readonly string[]): AsyncGenerator<Held> {
    for await (const row of this.#database.query(heldSql(table, eventKeys))) yield heldOf(row);
  }

  async rejections(table: string, want: WantedRejections): Promise<{ key: string; line: number; reason: string }[]> {
    return this.#database.ask((calls) => calls.rejections(table, want));
  }

  async audit(table: TableShape, since: Date): Promise<Audit> {
    const { loadedAt, ...counts } = await this.#database.ask((calls) => calls.audit(table, since.toISOString()));
    return loadedAt === undefined ? counts : { ...counts, loadedAt: new Date(loadedAt) };
  }

  async amend(table: TableShape): Promise<Amended> {
    return this.#database.change((calls) => calls.amend(table));
  }

  /** Reads only. Throws `ConfigError` for a statement that DuckDB does not understand. */
  query(sql: string): AsyncGenerator<Record<string, unknown>> {
    return this.#database.query(sql);
  }

  async check(): Promise<readonly Finding[]> {
    return this.#database.ask((calls) => calls.check());
  }

  /** Resolves when every call, other processes' included, has ended, and another process can be the owner. */
  async close(): Promise<void> {
    return this.#database.close();
  }
}

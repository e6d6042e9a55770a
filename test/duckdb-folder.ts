import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DuckDBInstance } from '@duckdb/node-api';

import { rejectRefused } from '../src/activities/refused.js';
import { newId } from '../src/ids.js';
import { duckdb } from '../src/providers/local/duckdb.js';
import { folderLake } from '../src/providers/local/lake.js';
import type { Column, Load, LoadResult, TableShape, Warehouse } from '../src/providers/warehouse.js';
import { batchOf, someEvent, stageLoad, stored } from './contract/warehouse-loads.js';

const never = new AbortController().signal;
export const column = (name: string, type: Column['type'], sql?: string): Column => {
  return { name, type, nullable: true, ...(sql !== undefined && { sql }) };
};

/** A DuckDB warehouse in a folder of its own, which a test may also change by hand. */
export class DuckDBFolder {
  readonly dataDir: string;
  warehouse: Warehouse;
  /** Probes since the last time it was set. */
  probes = 0;

  static async make(): Promise<DuckDBFolder> {
    return new DuckDBFolder(await mkdtemp(join(tmpdir(), 'catchment-duckdb-')));
  }

  private constructor(dataDir: string) {
    this.dataDir = dataDir;
    this.warehouse = this.#open();
  }

  #open(): Warehouse {
    return duckdb().open({ pipeline: 'app', dataDir: this.dataDir, part: 'warehouse' });
  }

  get lake() {
    return folderLake().open({ pipeline: 'app', dataDir: this.dataDir, part: 'lake' });
  }

  async close(): Promise<void> {
    await this.warehouse.close();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  /** Another program opens the file, as DuckDB's own shell would, while no process of ours has it. */
  async byHand(...statements: string[]): Promise<void> {
    await this.warehouse.close();
    const instance = await DuckDBInstance.create(join(this.dataDir, 'warehouse.duckdb'));
    const connection = await instance.connect();
    for (const sql of statements) await connection.run(sql);
    connection.closeSync();
    instance.closeSync();
    this.warehouse = this.#open();
  }

  /** A load of an event a row. */
  async stage(table: TableShape, rows: readonly Record<string, unknown>[]): Promise<Load> {
    const batch = await stored(this.lake, batchOf(...rows.map((row) => ({ event: someEvent(), rows: [row] }))));
    return stageLoad(this.lake, table, 'keep', [batch]);
  }

  async load(plan: Load): Promise<LoadResult> {
    return this.warehouse.load(plan, this.lake, never);
  }

  async withoutRefused(plan: Load): Promise<Load> {
    this.probes = 0;
    const probe: Warehouse['probe'] = (...args) => {
      this.probes++;
      return this.warehouse.probe(...args);
    };
    const folder = `load/${newId()}/${plan.table.name}/`;
    return (await rejectRefused(plan, { probe }, { lake: this.lake, staging: this.lake, folder }, never)).load;
  }

  async rows(sql: string): Promise<Record<string, unknown>[]> {
    const rows = [];
    for await (const row of this.warehouse.query(sql)) rows.push(row);
    return rows;
  }

  async reasons(table: string): Promise<string[]> {
    return (await this.warehouse.rejections(table, { limit: 1_000 })).map(({ reason }) => reason);
  }
}

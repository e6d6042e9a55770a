import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DuckDBInstance } from '@duckdb/node-api';

/** Every value as text. */
export type TableRow = Readonly<Record<string, string | null>>;

export interface TableContents {
  /** With the system columns. */
  readonly rows: readonly TableRow[];
  readonly rejections: readonly TableRow[];
  readonly manifest: readonly TableRow[];
}

/**
 * What a warehouse file holds at this moment, its log included: read from a copy, with DuckDB alone. It is what its
 * owner would find if it died now, so the owner must be stopped or ended.
 */
export async function readTables(
  dataDir: string,
  tables: readonly string[],
): Promise<ReadonlyMap<string, TableContents>> {
  const folder = mkdtempSync(join(tmpdir(), 'catchment-judge-'));
  try {
    for (const name of ['warehouse.duckdb', 'warehouse.duckdb.wal']) {
      if (existsSync(join(dataDir, name))) copyFileSync(join(dataDir, name), join(folder, name));
    }
    const instance = await DuckDBInstance.create(join(folder, 'warehouse.duckdb'));
    try {
      const connection = await instance.connect();
      const select = async (sql: string): Promise<TableRow[]> =>
        (await connection.runAndReadAll(`SELECT COLUMNS(*)::VARCHAR FROM ${sql}`)).getRowObjectsJson() as TableRow[];
      const contents = new Map<string, TableContents>();
      for (const table of tables) {
        contents.set(table, {
          rows: await select(table),
          rejections: await select(`catchment_rejected WHERE table_name = '${table}'`),
          manifest: await select(`catchment_loads WHERE table_name = '${table}'`),
        });
      }
      return contents;
    } finally {
      instance.closeSync();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

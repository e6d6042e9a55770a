import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DuckDBInstance } from '@duckdb/node-api';

import { duckdb } from '../../src/providers/local/duckdb.js';
import { folderLake } from '../../src/providers/local/lake.js';
import { warehouseContract } from './warehouse.js';

const damages = {
  'delete one row': (table: string) => `DELETE FROM ${table} WHERE rowid = (SELECT min(rowid) FROM ${table})`,
  'double one row': (table: string) => `INSERT INTO ${table} SELECT * FROM ${table} ORDER BY rowid LIMIT 1`,
};

warehouseContract({
  name: 'duckdb',
  async start() {
    const dataDir = await mkdtemp(join(tmpdir(), 'catchment-warehouse-'));
    return {
      open: () => duckdb().open({ pipeline: 'app', dataDir, part: 'warehouse' }),
      lake: folderLake().open({ pipeline: 'app', dataDir, part: 'lake' }),
      async damage(table, what) {
        const instance = await DuckDBInstance.create(join(dataDir, 'warehouse.duckdb'));
        const connection = await instance.connect();
        await connection.run(damages[what](table));
        connection.closeSync();
        instance.closeSync();
      },
      close: () => rm(dataDir, { recursive: true, force: true }),
    };
  },
});

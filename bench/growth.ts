import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { DuckDBInstance } from '@duckdb/node-api';

import { benchConfig, cli } from './contenders.js';

/**
 * Fills the table `views` with rows of another source before anything runs: a day's, evenly spread up to now, so that a load
 * finds its share of them in its own range.
 */
export async function fillTable(dir: string, rows: number): Promise<void> {
  const migrated = spawnSync(process.execPath, [cli, 'migrate', '--config', benchConfig, '--dir', dir], {
    encoding: 'utf8',
  });
  if (migrated.status !== 0) throw new Error(`migrate failed: ${migrated.stderr}`);
  const instance = await DuckDBInstance.create(join(dir, '.catchment', 'warehouse.duckdb'));
  const connection = await instance.connect();
  await connection.run(`
    INSERT INTO views (user_id, session_id, screen, viewed_at, duration_ms, price,
      _event_key, _event_id, _source, _row, _sent_at, _batch, _version, _loaded_at)
    SELECT 'user-' || n % 50000, 'session', 'screen-' || n % 40, moment, n % 60000, NULL,
      md5(n::VARCHAR), 'before-' || n, 'before', 0, moment, 'before', 1, moment
    FROM (SELECT range AS n, now() - (${rows} - range) * INTERVAL 1 DAY / ${rows} AS moment FROM range(${rows}))`);
  await connection.run('CHECKPOINT');
  connection.closeSync();
  instance.closeSync();
}

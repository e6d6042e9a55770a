import { join } from 'node:path';

import { DuckDBInstance } from '@duckdb/node-api';

import type { ReconcileReport } from '../../src/reconcile/report.js';
import { PipelineFolder } from './pipeline-folder.js';

const config = `import { defineConfig } from 'catchment';
export default defineConfig({ pipeline: 'test', tables: './tables.ts', lease: '2s', reconcileEvery: '1h' });
`;
const tables = `import { defineTable } from 'catchment';
import { z } from 'zod';

const event = z.object({ n: z.int().max(90) });
const row = z.object({ n: z.int(), part: z.int() });
const rows = ({ n }: { n: number }) => [0, 1].map((part) => ({ n, part }));
export const short = defineTable('short', { event, row, rows });
export const twice = defineTable('twice', { event, row, rows });
export const unknown = defineTable('unknown', { event, row, rows });
export const even = defineTable('even', { event, row, rows });
`;

const minutes = 60_000;
let pipeline: PipelineFolder;

beforeAll(async () => {
  pipeline = new PipelineFolder();
  await pipeline.up({ 'catchment.config.ts': config, 'tables.ts': tables });
  // Ten are rejected.
  await pipeline.send(Array.from({ length: 100 }, (_, n) => ({ n: n + 1 })));
  await pipeline.run('status', '--wait', '--timeout', '60s');
}, 3 * minutes);
afterAll(() => pipeline.close(), minutes);

/** Somebody changes the warehouse beside Catchment. */
async function byHand(...statements: readonly string[]): Promise<void> {
  await pipeline.stop('poll');
  await pipeline.stop('worker');
  const instance = await DuckDBInstance.create(join(pipeline.dataDir, 'warehouse.duckdb'));
  const connection = await instance.connect();
  for (const sql of statements) await connection.run(sql);
  connection.closeSync();
  instance.closeSync();
  pipeline.start('worker');
  pipeline.start('poll');
}

const reconcile = (...flags: readonly string[]): Promise<ReconcileReport> =>
  pipeline.ask<ReconcileReport>('reconcile', ...flags);
const contents = (table: string): Promise<unknown> =>
  pipeline.query(`SELECT count(*)::INTEGER AS rows, count(DISTINCT (n, part))::INTEGER AS different FROM ${table}`);

test(
  'what somebody deleted, doubled or took from the manifest is made anew, and all adds up again; what was even stays as it was',
  async () => {
    const first = (table: string): string => `rowid IN (SELECT min(rowid) FROM ${table})`;
    await byHand(
      `DELETE FROM short WHERE n = 7 AND part = 1`,
      `DELETE FROM short WHERE n = 8`,
      `DELETE FROM catchment_internal.short_rejected WHERE ${first('catchment_internal.short_rejected')}`,
      `INSERT INTO twice SELECT * FROM twice WHERE n = 3`,
      `DELETE FROM catchment_internal.unknown_loads WHERE ${first('catchment_internal.unknown_loads')}`,
    );
    const loadedAt = 'SELECT max(_loaded_at) AS at FROM even';
    const before = await pipeline.query(loadedAt);
    await expect(reconcile()).rejects.toThrow('ended with status 1');

    expect(await reconcile('--deep', '--repair')).toMatchObject({ ok: true });
    expect(await reconcile('--deep')).toMatchObject({ ok: true });
    for (const table of ['short', 'twice', 'unknown', 'even'])
      expect(await contents(table)).toEqual([{ rows: 180, different: 180 }]);
    expect(await pipeline.query('SELECT count(*)::INTEGER AS events FROM catchment_rejected')).toEqual([
      { events: 40 },
    ]);
    expect(await reconcile('--deep')).toMatchObject({ ok: true });
    expect(await pipeline.query(loadedAt)).toEqual(before);
  },
  4 * minutes,
);

test(
  'what no object has is told, and not taken for repaired',
  async () => {
    await byHand(`INSERT INTO even SELECT * REPLACE ('${'ab'.repeat(16)}' AS _event_key) FROM even WHERE n = 3`);
    await expect(reconcile('--deep', '--repair')).rejects.toThrow('ended with status 1');
    expect(pipeline.output).toContain('"extra":1');
    await byHand(`DELETE FROM even WHERE _event_key = '${'ab'.repeat(16)}'`);
    expect(await reconcile('--deep')).toMatchObject({ ok: true });
  },
  4 * minutes,
);

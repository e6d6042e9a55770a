import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';

import { judge } from '../src/providers/local/duckdb-judge.js';
import { judgeNew } from '../src/providers/local/duckdb-new.js';
import { inTransaction } from '../src/providers/local/duckdb-session.js';
import { createSql, initialSql } from '../src/providers/local/duckdb-sql.js';
import type { Load } from '../src/providers/warehouse.js';

const table = { name: 't', version: 1, columns: [], cluster: [] } as const;
const window = { from: '2026-01-01T00:00:00.000Z', to: '2026-01-02T00:00:00.000Z' };
const at = `TIMESTAMPTZ '2026-01-01T12:00:00Z'`;

let instance: DuckDBInstance;
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:');
  await inTransaction(instance, 'COMMIT', async (session) => {
    for (const sql of [...initialSql, ...createSql(table)]) await session.run(sql);
    await session.run(`INSERT INTO t VALUES ('loaded', 'id', 'app', 0, ${at}, 'earlier', 1, now())`);
    await session.run(
      `INSERT INTO catchment_internal.t_rejected VALUES (1, 'rejected', 'id', ${at}, 'earlier', 'key', 1, 'why', now())`,
    );
  });
});
afterAll(() => instance.closeSync());

/** An event of the load: how often it comes, and its rows; none: it is refused. */
const event = fc.record({
  key: fc.oneof(
    { weight: 8, arbitrary: fc.stringMatching(/^[a-f]{6}$/) },
    { weight: 1, arbitrary: fc.constantFrom('loaded', 'rejected') },
  ),
  copies: fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.constant(2) }),
  rows: fc.nat(3),
  batch: fc.constantFrom('one', 'two'),
});

test('the short way says what the long one says, and leaves to it what is not new or comes twice', async () => {
  let short = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 1, maxLength: 8 }),
      fc.constantFrom('keep' as const, 'replace' as const),
      async (events, existing) => {
        const load: Load = { id: 'load', table, existing, batches: [] };
        const copies = events.flatMap((one) => Array.from({ length: one.copies }, () => one));
        const staged = copies.flatMap(({ key, rows, batch }) =>
          Array.from({ length: rows }, (_, row) => `('${key}', '${batch}', ${row})`),
        );
        const refused = copies.filter(({ rows }) => rows === 0).map(({ key, batch }) => `('${key}', '${batch}')`);
        const keys = copies.map(({ key }) => key);
        const plain =
          existing === 'keep' &&
          new Set(keys).size === keys.length &&
          !keys.includes('loaded') &&
          !keys.includes('rejected');
        await inTransaction(instance, 'ROLLBACK', async (session) => {
          await session.run(
            'CREATE TEMP TABLE catchment_staged (_event_key VARCHAR, _batch VARCHAR, _row INTEGER, _line BIGINT)',
          );
          await session.run('CREATE TEMP TABLE catchment_refused (event_key VARCHAR, batch VARCHAR)');
          const lines = staged.map((line, index) => line.replace(')', `, ${index})`));
          if (lines.length > 0) await session.run(`INSERT INTO catchment_staged VALUES ${lines.join(', ')}`);
          if (refused.length > 0) await session.run(`INSERT INTO catchment_refused VALUES ${refused.join(', ')}`);
          const found = await judgeNew(session, load, window);
          expect(found !== undefined).toBe(plain);
          if (found === undefined) return;
          short++;
          const long = await judge(session, load, window);
          const counts = (batches: typeof found.batches): unknown =>
            Object.fromEntries(batches.map(({ batch, rows, rejected }) => [batch, { rows, rejected }]));
          expect(counts(found.batches)).toEqual(counts(long.batches));
          expect(long.batches.every(({ removed, duplicates, cleared }) => removed + duplicates + cleared === 0)).toBe(
            true,
          );
        });
      },
    ),
    { numRuns: 60 },
  );
  expect(short).toBeGreaterThan(5);
});

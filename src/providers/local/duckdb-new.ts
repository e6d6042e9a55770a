import type { Load } from '../warehouse.js';
import type { Judgement } from './duckdb-judge.js';
import type { Session } from './duckdb-session.js';
import { moment, rejectedOf, tableOf } from './duckdb-sql.js';

/**
 * What becomes of a load each of whose events comes once and is new, as nearly all are: all of it loads. undefined where it
 * is another. `judge` says the same of it, for four times the CPU.
 */
export async function judgeNew(
  session: Session,
  { existing, table }: Load,
  window: { from: string; to: string },
): Promise<Judgement | undefined> {
  if (existing !== 'keep') return undefined;
  const between = `BETWEEN ${moment(window.from)} AND ${moment(window.to)}`;
  const [found] = await session.rows(`
    WITH copy AS (SELECT _event_key AS key FROM catchment_staged WHERE _row <= 0 UNION ALL SELECT event_key FROM catchment_refused)
    SELECT (SELECT count(*) > count(DISTINCT key) FROM copy)
      OR EXISTS (SELECT 1 FROM ${tableOf(table.name)} WHERE _sent_at ${between} AND _event_key IN (SELECT key FROM copy))
      OR EXISTS (SELECT 1 FROM ${rejectedOf(table.name)} WHERE sent_at ${between} AND event_key IN (SELECT key FROM copy))
      OR EXISTS (SELECT 1 FROM catchment_staged WHERE _row < 0) AS other`);
  if (found!['other'] === true) return undefined;
  const rows = await session.rows(`
    SELECT batch, count(*) FILTER (row) AS rows, count(*) FILTER (NOT row) AS rejected
    FROM (SELECT _batch AS batch, true AS row FROM catchment_staged UNION ALL SELECT batch, false FROM catchment_refused) GROUP BY batch`);
  return {
    batches: rows.map(({ batch, rows: made, rejected }) => ({
      batch: batch as string,
      ...{ rows: Number(made), rejected: Number(rejected) },
      ...{ removed: 0, duplicates: 0, cleared: 0 },
    })),
    rows: 'true',
    rejections: 'true',
  };
}

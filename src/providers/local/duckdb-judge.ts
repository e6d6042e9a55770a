import type { Load } from '../warehouse.js';
import type { Session } from './duckdb-session.js';
import { moment, rejectedOf, tableOf } from './duckdb-sql.js';

/** What becomes of a batch's copies of events. */
interface Judged {
  readonly batch: string;
  /** Copies looked at, where that is not all of them. */
  readonly events?: number;
  readonly rows: number;
  readonly removed: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly cleared: number;
}

export interface Judgement {
  readonly batches: readonly Judged[];
  /** Conditions of the lines of `catchment_staged`, and of `catchment_refused`, that are to be inserted. */
  readonly rows: string;
  readonly rejections: string;
}

/**
 * Decides what becomes of each copy of an event, into the temporary tables `catchment_judged` (a line a copy) and
 * `catchment_chosen` (the lines of `catchment_staged` that become rows). Of the copies in one load one decides: the first
 * with rows, else the first rejected, else the first that makes no row; so the order in which copies come changes nothing.
 */
export async function judge(session: Session, load: Load, window: { from: string; to: string }): Promise<Judgement> {
  const { name: table } = load.table;
  const between = `BETWEEN ${moment(window.from)} AND ${moment(window.to)}`;
  await session.run(`CREATE TEMP TABLE catchment_judged AS
    WITH copy AS (
      SELECT _event_key AS key, _batch AS batch, IF(_row < 0, 'none', 'rows') AS kind, _line AS first,
        lead(_line) OVER (PARTITION BY _event_key ORDER BY _line) AS next
      FROM catchment_staged WHERE _row <= 0
      UNION ALL SELECT event_key, batch, 'rejected', rowid, NULL FROM catchment_refused
    ), numbered AS MATERIALIZED (
      SELECT *, row_number() OVER (PARTITION BY key
        ORDER BY CASE kind WHEN 'rows' THEN 0 WHEN 'rejected' THEN 1 ELSE 2 END, first) AS nth
      FROM copy
    ), present AS (
      SELECT key, max(version) AS version, count(*) FILTER (kind = 'row') AS rows,
        count(*) FILTER (kind = 'rejection') AS rejections
      FROM (
        SELECT 'row' AS kind, _event_key AS key, _version AS version FROM ${tableOf(table)}
          WHERE _sent_at ${between} AND _event_key IN (SELECT key FROM numbered)
        UNION ALL SELECT 'rejection', event_key, version FROM ${rejectedOf(table)}
          WHERE sent_at ${between} AND event_key IN (SELECT key FROM numbered)
      ) GROUP BY key
    ), known AS (
      SELECT numbered.*, coalesce(rows, 0) AS rows, coalesce(rejections, 0) AS rejections, coalesce(version, 0) AS version
      FROM numbered LEFT JOIN present USING (key)
    )
    SELECT *, CASE WHEN ${passed(load)} THEN 'passed' WHEN ${duplicate(load)} THEN 'duplicate' ELSE kind END AS outcome
    FROM known`);
  await session.run(`CREATE TEMP TABLE catchment_chosen AS
    SELECT _line AS line, judged.batch FROM (SELECT _event_key, _row, _line FROM catchment_staged) JOIN catchment_judged AS judged ON key = _event_key
    WHERE outcome = 'rows' AND _row >= 0 AND _line >= first AND (next IS NULL OR _line < next)`);
  const rows = await session.rows(`
    SELECT batch, count(*) FILTER (outcome <> 'passed') AS events, coalesce(any_value(made.rows), 0) AS rows,
      coalesce(sum(judged.rows) FILTER (acts), 0) AS removed, count(*) FILTER (outcome = 'duplicate') AS duplicates,
      count(*) FILTER (outcome = 'rejected') AS rejected, coalesce(sum(rejections) FILTER (acts), 0) AS cleared
    FROM (SELECT *, outcome IN ('rows', 'rejected', 'none') AS acts FROM catchment_judged) AS judged
      LEFT JOIN (SELECT batch, count(*) AS rows FROM catchment_chosen GROUP BY batch) AS made USING (batch)
    GROUP BY batch`);
  return {
    batches: rows.map(({ batch, ...counts }) => ({
      batch: batch as string,
      ...(Object.fromEntries(Object.entries(counts).map(([count, n]) => [count, Number(n)])) as Omit<Judged, 'batch'>),
    })),
    rows: '_line IN (SELECT line FROM catchment_chosen)',
    rejections: `rowid IN (SELECT first FROM catchment_judged WHERE outcome = 'rejected')`,
  };
}

/** The copy is none of this load's business: it changes nothing, and is not counted. */
function passed({ existing, table }: Load): string {
  if (existing === 'keep') return `kind = 'none'`;
  if (existing === 'replace') return `kind = 'none' AND (nth > 1 OR version > ${table.version})`;
  return `rejections = 0 OR version > ${table.version} OR (kind = 'none' AND nth > 1)`;
}

/** The event stays as it is, by its copy that is there or that decides. */
function duplicate({ existing, table }: Load): string {
  if (existing === 'keep') return `nth > 1 OR rows > 0 OR (kind = 'rejected' AND rejections > 0)`;
  if (existing === 'replace') return `nth > 1 OR version > ${table.version}`;
  return 'nth > 1';
}

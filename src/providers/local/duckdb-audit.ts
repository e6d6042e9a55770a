import { TableMissing } from '../../errors.js';
import type { TableShape, WantedRejections, Warehouse } from '../warehouse.js';
import type { AuditRead } from './duckdb-calls.js';
import type { Session } from './duckdb-session.js';
import { list, loadsOf, moment, rejectedOf, tableOf, tablesRecord, text } from './duckdb-sql.js';

/** ISO 8601. Throws `TableMissing`. */
export async function owesFrom(session: Session, table: string): Promise<string> {
  const [row] = await session.rows(
    `SELECT epoch_ms(owes_from) AS at FROM ${tablesRecord} WHERE table_name = ${text(table)}`,
  );
  if (row !== undefined) return new Date(Number(row['at'])).toISOString();
  throw new TableMissing(`the warehouse has no table ${table}: run catchment migrate`, { table });
}

export async function missing(
  session: Session,
  table: TableShape,
  batches: readonly string[],
  at: Parameters<Warehouse['missing']>[2],
  anew?: string | null,
): Promise<string[]> {
  await owesFrom(session, table.name);
  if (batches.length === 0) return [];
  const least = batches.reduce((a, b) => (a < b ? a : b));
  const greatest = batches.reduce((a, b) => (a > b ? a : b));
  const rows = await session.rows(
    `SELECT DISTINCT batch FROM ${loadsOf(table.name)} WHERE batch BETWEEN ${text(least)} AND ${text(greatest)} ` +
      `AND problem IS NULL ${at === 'any version' ? '' : `AND ${isNewEnough(table, anew ?? undefined)} `}AND batch IN ${list(batches)}`,
  );
  const loaded = new Set(rows.map((row) => row['batch'] as string));
  return batches.filter((batch) => !loaded.has(batch));
}

function isNewEnough({ version }: TableShape, anew: string | undefined): string {
  if (anew === undefined) return `version >= ${version}`;
  return `(version > ${version} OR (version = ${version} AND loaded_at >= ${moment(anew)}))`;
}

export async function rejections(
  session: Session,
  table: string,
  { reason, after, before, limit }: WantedRejections,
): Promise<{ key: string; line: number; reason: string }[]> {
  await owesFrom(session, table);
  const wanted = ['true'];
  if (reason !== undefined) wanted.push(`contains(reason, ${text(reason)})`);
  if (before !== undefined) wanted.push(`rejected_at < ${moment(before)}`);
  const position = after === undefined ? null : /^(.*):(\d{1,15})$/s.exec(after);
  if (position !== null) wanted.push(`(key, line) > (${text(position[1]!)}, ${position[2]!})`);
  else if (after !== undefined) wanted.push(`key > ${text(after)}`);
  const rows = await session.rows(
    `SELECT key, line, reason FROM ${rejectedOf(table)} WHERE ${wanted.join(' AND ')} ORDER BY key, line LIMIT ${limit}`,
  );
  return rows.map((row) => ({ key: row['key'] as string, line: Number(row['line']), reason: row['reason'] as string }));
}

/** All of it in the session's one snapshot. */
export async function audit(session: Session, { name: table }: TableShape, since: string): Promise<AuditRead> {
  await owesFrom(session, table);
  const recent = `FROM ${tableOf(table)} WHERE _sent_at >= ${moment(since)}`;
  const [sums] = await session.rows(
    `SELECT ${['events', 'matched', 'rows', 'removed', 'duplicates', 'rejected', 'cleared']
      .map((count) => `coalesce(sum(${count}), 0) AS ${count}`)
      .join(', ')} FROM ${loadsOf(table)}`,
  );
  const [counted] = await session.rows(`
    SELECT (SELECT count(*) FROM ${tableOf(table)}) AS "rowsCounted",
      (SELECT count(*) FROM ${rejectedOf(table)}) AS "rejectionsCounted",
      (SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n ${recent} GROUP BY _event_key, _row HAVING n > 1)) AS "rowsTwice",
      (SELECT count(*) FROM (SELECT 1 ${recent} GROUP BY _source, _event_id HAVING min(_event_key) <> max(_event_key))) AS conflicts,
      (SELECT count(*) FROM (SELECT 1 FROM ${loadsOf(table)}
        WHERE batch IN (SELECT batch FROM ${loadsOf(table)} WHERE problem IS NOT NULL)
        GROUP BY batch HAVING bool_and(problem IS NOT NULL))) AS unreadable`);
  const [newest] = await session.rows(`SELECT epoch_ms(max(_loaded_at)) AS at FROM ${tableOf(table)}`);
  const numbers = Object.entries({ ...sums, ...counted }).map(([count, n]) => [count, Number(n)]);
  const at = newest!['at'] as string | null;
  return {
    ...(Object.fromEntries(numbers) as Omit<AuditRead, 'loadedAt'>),
    ...(at === null ? {} : { loadedAt: new Date(Number(at)).toISOString() }),
  };
}

import { RowsRefused } from '../../errors.js';
import { mostRefused, type Load, type LoadBatch, type TableShape } from '../warehouse.js';
import type { Session } from './duckdb-session.js';
import { moment, tableOf, text } from './duckdb-sql.js';

/**
 * Throws `RowsRefused` where a line has a reason, with the first such line of each event. `lines`: a query of all lines
 * of the rows files, in order: `(_event_key, _batch, _line, reason)`.
 */
export async function throwNaming(
  session: Session,
  { name: table }: TableShape,
  batches: readonly LoadBatch[],
  lines: string,
): Promise<void> {
  const rows = await session.rows(`
    WITH lines AS MATERIALIZED (${lines}),
      files AS (SELECT _batch, min(_line) AS first FROM lines GROUP BY _batch),
      named AS (SELECT DISTINCT ON (_event_key) * FROM lines WHERE reason IS NOT NULL ORDER BY _line)
    SELECT _batch, _line - first + 1 AS line, reason FROM named JOIN files USING (_batch)
    ORDER BY _line LIMIT ${mostRefused + 1}`);
  const refused = rows.flatMap((row) => {
    const key = batches.find(({ batch }) => batch === row['_batch'])?.rowsFile?.key;
    return key === undefined ? [] : { key, line: Number(row['line']), reason: row['reason'] as string };
  });
  const [first] = refused;
  if (first === undefined) return;
  throw new RowsRefused(
    `loading ${table}: DuckDB refuses rows of ${refused.length > mostRefused ? `more than ${mostRefused}` : refused.length} events; ${first.reason}`,
    { table, key: first.key, line: first.line },
    refused,
  );
}

/**
 * Inserts as `sql` does, and names the lines that break a constraint or a unique index. Ours have none: somebody has put
 * them on the table by hand.
 */
export async function insertNaming(
  session: Session,
  { table }: Load,
  batches: readonly LoadBatch[],
  window: { from: string; to: string },
  sql: string,
): Promise<void> {
  const found = await constraintsOf(session, table);
  const broken = found.flatMap(({ broken, reason }) =>
    broken === undefined ? [] : `WHEN ${broken} THEN ${text(reason)}`,
  );
  const chosen = '_line IN (SELECT line FROM catchment_chosen)';
  const reasonOf = (cases: string) =>
    `SELECT _event_key, _batch, _line, CASE WHEN ${chosen} THEN ${cases} END AS reason ` +
    `FROM (SELECT *, ${table.version} AS _version, now() AS _loaded_at FROM catchment_staged)`;
  if (broken.length > 0) await throwNaming(session, table, batches, reasonOf(`CASE ${broken.join(' ')} END`));

  if (!found.some(({ unique }) => unique)) return session.run(sql);
  await session.run(`${sql} ON CONFLICT DO NOTHING`);
  const there =
    `(_event_key, _row) IN (SELECT (_event_key, _row) FROM ${tableOf(table.name)} ` +
    `WHERE _sent_at BETWEEN ${moment(window.from)} AND ${moment(window.to)})`;
  const reason = text(`DuckDB has one like it already, and a unique index on ${table.name} allows no second`);
  await throwNaming(session, table, batches, reasonOf(`IF(${there}, NULL, ${reason})`));
}

interface Constraint {
  readonly unique: boolean;
  /** True for a row that breaks it, where a row can do that by itself. */
  readonly broken?: string;
  readonly reason: string;
}

/** Those that speak of columns of the load. */
async function constraintsOf(session: Session, table: TableShape): Promise<Constraint[]> {
  const here = `database_name = current_database() AND schema_name = 'main' AND lower(table_name) = lower(${text(table.name)})`;
  const rows = await session.rows(
    `SELECT constraint_type AS kind, constraint_text AS told, expression, constraint_column_names AS columns ` +
      `FROM duckdb_constraints() WHERE ${here} ` +
      `UNION ALL SELECT 'UNIQUE', index_name, NULL, [] FROM duckdb_indexes() WHERE ${here} AND is_unique`,
  );
  const known = new Set([...table.columns.map((column) => column.name), '_version', '_loaded_at']);
  return rows.flatMap((row): Constraint[] => {
    const { kind, told, expression, columns } = row as {
      kind: string;
      told: string;
      expression: string;
      columns: string[];
    };
    if (kind === 'UNIQUE' || kind === 'PRIMARY KEY') return [{ unique: true, reason: told }];
    if (!columns.every((column) => known.has(column))) return [];
    if (kind === 'CHECK')
      return [{ unique: false, broken: `NOT (${expression})`, reason: `DuckDB's table says ${told}` }];
    if (kind !== 'NOT NULL') return [];
    const [column] = columns as [string];
    return [
      {
        unique: false,
        broken: `"${column}" IS NULL`,
        reason: `${column}: it is empty, and DuckDB's table says NOT NULL`,
      },
    ];
  });
}

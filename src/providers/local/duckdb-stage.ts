import type { Column, LoadBatch, StagedFile, TableShape } from '../warehouse.js';
import { throwNaming } from './duckdb-refused.js';
import type { Session } from './duckdb-session.js';
import { lineColumns, name, rejectionColumns, text, typeOf } from './duckdb-sql.js';
import { stagedPaths } from './duckdb-staged.js';

/** Longest line of a load file, in bytes: a row of several texts, each of the largest size, in JSON. */
const lineBytes = 256 * 1024 * 1024;

/**
 * Reads the load files into the temporary tables `catchment_staged`, where `_line` is the order of the lines, and
 * `catchment_refused`: no user's table has such a name, and a temporary one hides the one of `main`.
 * `naming`: a value that does not fit is named with its line and all others that do not.
 */
export async function stage(
  session: Session,
  table: TableShape,
  batches: readonly LoadBatch[],
  root: string,
  naming: boolean,
): Promise<void> {
  const paths = (files: readonly (StagedFile | undefined)[]) =>
    stagedPaths(
      root,
      files.filter((file) => file !== undefined),
    );
  const [rowsPaths, rejectionsPaths] = await Promise.all([
    paths(batches.map((batch) => batch.rowsFile)),
    paths(batches.map((batch) => batch.rejectionsFile)),
  ]);
  if (naming) await nameMisfits(session, table, batches, rowsPaths);

  const read = [
    ...Object.entries(lineColumns),
    ...table.columns.map((column) => [column.name, isCast(column) ? 'VARCHAR' : typeOf(column)] as const),
  ];
  const values = [
    ...Object.keys(lineColumns),
    ...table.columns.map((column) =>
      isCast(column) ? `${cast(column, 'CAST')} AS ${name(column.name)}` : name(column.name),
    ),
  ];
  await session.run(
    `CREATE TEMP TABLE catchment_staged AS SELECT ${values.join(', ')}, row_number() OVER () AS _line FROM ${linesOf(rowsPaths, read)}`,
  );
  await session.run(
    `CREATE TEMP TABLE catchment_refused AS SELECT * FROM ${linesOf(rejectionsPaths, Object.entries(rejectionColumns))}`,
  );
}

/** An override may be anything, so its values are read as text and cast, which names the column where one does not fit. */
const isCast = (column: Column): boolean => column.type === 'json' || column.sql !== undefined;

function cast({ name: column, type, sql }: Column, how: 'CAST' | 'TRY_CAST'): string {
  const types = [...(type === 'json' ? ['JSON'] : []), ...(sql === undefined ? [] : [sql])];
  return types.reduce((value, to) => `${how}(${value} AS ${to})`, name(column));
}

async function nameMisfits(
  session: Session,
  table: TableShape,
  batches: readonly LoadBatch[],
  paths: readonly string[],
): Promise<void> {
  const misfits = table.columns.map((column) => {
    const fits = isCast(column) ? cast(column, 'TRY_CAST') : `TRY_CAST(${name(column.name)} AS ${typeOf(column)})`;
    // JSON's null is a value, of which a cast makes no value.
    const empty = `${name(column.name)} IS NULL${column.type === 'json' ? ` OR ${name(column.name)} = 'null'` : ''}`;
    const reason = `${column.name}: DuckDB does not take it as ${typeOf(column)}`;
    return `WHEN ${fits} IS NULL AND NOT (${empty}) THEN ${text(reason)}`;
  });
  if (misfits.length === 0) return;
  const read = [...Object.entries(lineColumns), ...table.columns.map((column) => [column.name, 'VARCHAR'] as const)];
  await throwNaming(
    session,
    table,
    batches,
    `SELECT _event_key, _batch, row_number() OVER () AS _line, CASE ${misfits.join(' ')} END AS reason FROM ${linesOf(paths, read)}`,
  );
}

function linesOf(paths: readonly string[], columns: readonly (readonly [string, string])[]): string {
  if (paths.length === 0) {
    return `(SELECT ${columns.map(([column, type]) => `NULL::${type} AS ${name(column)}`).join(', ')} WHERE false)`;
  }
  const struct = columns.map(([column, type]) => `${name(column)}: ${text(type)}`).join(', ');
  return (
    `read_json([${paths.map(text).join(', ')}], format = 'newline_delimited', compression = 'gzip', ` +
    `maximum_object_size = ${lineBytes}, columns = {${struct}})`
  );
}

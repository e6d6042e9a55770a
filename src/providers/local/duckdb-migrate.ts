import type { DuckDBInstance } from '@duckdb/node-api';

import { SchemaConflict } from '../../errors.js';
import type { Change, Column, TableShape } from '../warehouse.js';
import { inTransaction, type Session } from './duckdb-session.js';
import { createSql, name, tableOf, tablesRecord, text, typeOf, viewsSql } from './duckdb-sql.js';

/** What `migrate` would do to one table. Throws `SchemaConflict`. */
export async function planTable(session: Session, shape: TableShape): Promise<Change[]> {
  const columns = await columnsOf(session, shape.name);
  const ours = (await session.rows(`SELECT 1 FROM ${tablesRecord} WHERE table_name = ${text(shape.name)}`)).length > 0;
  if (columns.size > 0 && !ours) {
    throw new SchemaConflict(
      `there is a table or view ${shape.name} that Catchment did not make: rename it, or give the table of the config another name`,
      { table: shape.name },
    );
  }
  if (columns.size === 0 && ours) {
    throw new SchemaConflict(
      `table ${shape.name} was dropped, but its manifest says what is in it: give the table another name, ` +
        `or remove what is left of it in the schema catchment_internal`,
      { table: shape.name },
    );
  }
  const wanted = await Promise.all(
    shape.columns.map(async (column) => [column, await typeInFull(session, shape, column)] as const),
  );
  if (columns.size === 0) return [{ table: shape.name, what: 'create table' }];

  const changes: Change[] = [];
  for (const [column, type] of wanted) {
    const there = columns.get(column.name.toLowerCase());
    if (there === undefined) changes.push({ table: shape.name, what: 'add column', column: column.name });
    else if (there !== type) {
      throw new SchemaConflict(
        `column ${column.name} of table ${shape.name} is ${there}, and the config asks for ${type}: ` +
          `give the new column another name, or make a table of another name and backfill it`,
        { table: shape.name, column: column.name },
      );
    }
  }
  return changes;
}

/** Does it, and records from when the table owes its events where it is new. Throws `SchemaConflict`, having done nothing. */
export async function applyTable(instance: DuckDBInstance, shape: TableShape): Promise<Change[]> {
  return inTransaction(instance, 'COMMIT', async (session) => {
    const changes = await planTable(session, shape);
    for (const { what, column } of changes) {
      if (what === 'create table') await createTable(session, shape);
      else {
        const type = typeOf(shape.columns.find((each) => each.name === column)!);
        await session.run(`ALTER TABLE ${tableOf(shape.name)} ADD COLUMN ${name(column!)} ${type}`);
      }
    }
    return changes;
  });
}

async function createTable(session: Session, shape: TableShape): Promise<void> {
  for (const sql of createSql(shape)) await session.run(sql);
  await session.run(`INSERT INTO ${tablesRecord} VALUES (${text(shape.name)}, now())`);
  const tables = await session.rows(`SELECT table_name FROM ${tablesRecord} ORDER BY table_name`);
  for (const sql of viewsSql(tables.map((row) => row['table_name'] as string))) await session.run(sql);
}

/** Types by column, in lower case since DuckDB does not tell names apart by case; empty where there is no such table. */
export async function columnsOf(session: Session, table: string): Promise<ReadonlyMap<string, string>> {
  const rows = await session.rows(
    `SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = current_database() ` +
      `AND schema_name = 'main' AND lower(table_name) = lower(${text(table)})`,
  );
  return new Map(rows.map((row) => [(row['column_name'] as string).toLowerCase(), row['data_type'] as string]));
}

/** `decimal(12,2)` as DuckDB tells it: `DECIMAL(12,2)`. */
async function typeInFull(session: Session, shape: TableShape, column: Column): Promise<string> {
  const type = typeOf(column);
  const where = { table: shape.name, column: column.name };
  const remedy = `column ${column.name} of table ${shape.name}: DuckDB has no type of that name; correct its sql, or leave it out`;
  if (!/^[\w\s(),[\]"]+$/.test(type)) throw new SchemaConflict(remedy, where);
  try {
    const [described] = await session.rows(`DESCRIBE SELECT CAST(NULL AS ${type}) AS x`);
    return described!['column_type'] as string;
  } catch {
    throw new SchemaConflict(remedy, where);
  }
}

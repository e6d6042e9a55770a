import type { DuckDBInstance } from '@duckdb/node-api';

import { SchemaConflict } from '../../errors.js';
import type { Change, Column, TableShape } from '../warehouse.js';
import { columnsOf, dropped, holds, typesOf } from './duckdb-columns.js';
import { isOfTable } from './duckdb-errors.js';
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
    throw new SchemaConflict(dropped(shape.name), { table: shape.name });
  }
  const wanted = await typesOf(session, shape);
  if (columns.size === 0) return [{ table: shape.name, what: 'create table' }];

  const changes: Change[] = [];
  for (const [{ name: column }, type] of wanted) {
    const there = columns.get(column.toLowerCase())?.type;
    if (there === undefined) changes.push({ table: shape.name, what: 'add column', column });
    else if (there === type) continue;
    else if (holds(type, there)) changes.push({ table: shape.name, what: 'widen column', column });
    else {
      throw new SchemaConflict(
        `column ${column} of table ${shape.name} is ${there}, and the config asks for ${type}, which would lose values: ` +
          `ask for ${there}, give the new column another name, or make a table of another name and backfill it`,
        { table: shape.name, column },
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
      else await alter(session, shape, columnOf(shape, column), what);
    }
    return changes;
  });
}

const columnOf = ({ columns }: TableShape, column: string | undefined): Column =>
  columns.find(({ name }) => name === column)!;

async function alter(
  session: Session,
  { name: table }: TableShape,
  column: Column,
  what: 'add column' | 'widen column',
): Promise<void> {
  const how = what === 'add column' ? 'ADD COLUMN' : 'ALTER COLUMN';
  const type = what === 'add column' ? typeOf(column) : `TYPE ${typeOf(column)}`;
  try {
    await session.run(`ALTER TABLE ${tableOf(table)} ${how} ${name(column.name)} ${type}`);
  } catch (error) {
    if (!isOfTable(error)) throw error;
    throw new SchemaConflict(
      `column ${column.name} of table ${table} cannot become ${typeOf(column)} while an index or a constraint that was ` +
        `put on the table by hand stands: drop it, run catchment migrate, and make it anew`,
      { table, column: column.name },
    );
  }
}

async function createTable(session: Session, shape: TableShape): Promise<void> {
  for (const sql of createSql(shape)) await session.run(sql);
  await session.run(`INSERT INTO ${tablesRecord} VALUES (${text(shape.name)}, now())`);
  const tables = await session.rows(`SELECT table_name FROM ${tablesRecord} ORDER BY table_name`);
  for (const sql of viewsSql(tables.map((row) => row['table_name'] as string))) await session.run(sql);
}

import { SchemaConflict, TableMissing } from '../../errors.js';
import type { Column, TableShape } from '../warehouse.js';
import { owesFrom } from './duckdb-audit.js';
import type { Session } from './duckdb-session.js';
import { name, systemColumns, text, typeOf } from './duckdb-sql.js';

/** A column as it is in the warehouse. */
interface Found {
  /** As DuckDB tells it. */
  readonly type: string;
  /** Whether a row must bring a value for it. */
  readonly must: boolean;
}

/** By name, in lower case since DuckDB does not tell names apart by case; empty where there is no such table. */
export async function columnsOf(session: Session, table: string): Promise<ReadonlyMap<string, Found>> {
  const rows = await session.rows(
    `SELECT column_name AS name, data_type AS type, NOT is_nullable AND column_default IS NULL AS must ` +
      `FROM duckdb_columns() WHERE database_name = current_database() ` +
      `AND schema_name = 'main' AND lower(table_name) = lower(${text(table)})`,
  );
  return new Map(
    rows.map((row) => {
      const { name, type, must } = row as unknown as Found & { name: string };
      return [name.toLowerCase(), { type, must }];
    }),
  );
}

/** The shape's columns with their types as DuckDB tells them: `decimal(12,2)` is `DECIMAL(12,2)`. Throws `SchemaConflict`. */
export async function typesOf(
  session: Session,
  { name: table, columns }: TableShape,
): Promise<readonly (readonly [Column, string])[]> {
  const odd = columns.find((column) => !/^[\w\s(),[\]"]+$/.test(typeOf(column)));
  if (odd !== undefined) throw noSuchType(table, odd);
  const described = await describe(session, columns);
  if (described !== undefined) return columns.map((column, i) => [column, described[i]!]);
  for (const column of columns) if ((await describe(session, [column])) === undefined) throw noSuchType(table, column);
  throw new SchemaConflict(`table ${table}: DuckDB does not take its types together`, { table });
}

async function describe(session: Session, columns: readonly Column[]): Promise<string[] | undefined> {
  if (columns.length === 0) return [];
  const empty = columns.map((column) => `CAST(NULL AS ${typeOf(column)}) AS ${name(column.name)}`);
  try {
    return (await session.rows(`DESCRIBE SELECT ${empty.join(', ')}`)).map((row) => row['column_type'] as string);
  } catch {
    return undefined;
  }
}

function noSuchType(table: string, { name: column }: Column): SchemaConflict {
  return new SchemaConflict(
    `column ${column} of table ${table}: DuckDB has no type of that name; correct its sql, or leave it out`,
    { table, column },
  );
}

const integers = ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT'];

/** Whether a column of type `wide` holds every value of type `narrow` as it is. */
export function holds(wide: string, narrow: string): boolean {
  if (wide === narrow) return true;
  if (integers.includes(narrow)) return integers.indexOf(wide) > integers.indexOf(narrow);
  if (narrow === 'FLOAT') return wide === 'DOUBLE';
  const [from, to] = [digitsOf(narrow), digitsOf(wide)];
  return from !== undefined && to !== undefined && to.whole >= from.whole && to.fraction >= from.fraction;
}

function digitsOf(type: string): { whole: number; fraction: number } | undefined {
  const [, precision, scale] = /^DECIMAL\((\d+),(\d+)\)$/.exec(type) ?? [];
  return precision === undefined ? undefined : { whole: Number(precision) - Number(scale), fraction: Number(scale) };
}

/**
 * Throws `TableMissing` or `SchemaConflict` where the table is not what the load is for: a worker whose config is newer
 * than the table must not load, and what was changed by hand is no fault of any event. Looked at before every load, since
 * a hand may change a table at any time.
 */
export async function checkTable(session: Session, shape: TableShape): Promise<void> {
  const { name: table } = shape;
  await owesFrom(session, table);
  const there = await columnsOf(session, table);
  if (there.size === 0) throw new TableMissing(dropped(table), { table });
  for (const [{ name: column }, type] of await typesOf(session, shape)) {
    const found = there.get(column.toLowerCase());
    if (found === undefined) {
      throw new TableMissing(
        `table ${table} has no column ${column}: run catchment migrate, which adds it; or rename it back, where it was renamed by hand`,
        { table, column },
      );
    }
    if (!holds(found.type, type)) {
      throw new SchemaConflict(
        `column ${column} of table ${table} is ${found.type}, and the config asks for ${type}: run catchment migrate; ` +
          `where it was changed by hand, change it back (ALTER TABLE ${table} ALTER ${column} TYPE ${type})`,
        { table, column },
      );
    }
  }
  const ours = new Set([...shape.columns.map((column) => column.name.toLowerCase()), ...Object.keys(systemColumns)]);
  for (const [column, { must }] of there) {
    if (!must || ours.has(column)) continue;
    throw new SchemaConflict(
      `column ${column} of table ${table} is NOT NULL, and the config has no such column to fill it: ` +
        `let it be empty (ALTER TABLE ${table} ALTER ${column} DROP NOT NULL), or add it to the table's row`,
      { table, column },
    );
  }
}

export function dropped(table: string): string {
  return (
    `table ${table} was dropped, but its manifest says what is in it: give the table another name, ` +
    `or remove what is left of it in the schema catchment_internal`
  );
}

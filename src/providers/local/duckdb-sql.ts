import type { Column, ColumnType, TableShape } from '../warehouse.js';

/** A name as an identifier of DuckDB. */
export function name(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

export function list(values: readonly string[]): string {
  return `(${values.map(text).join(', ')})`;
}

/** A moment, from ISO 8601 in UTC. */
export function moment(iso: string): string {
  return `${text(iso)}::TIMESTAMPTZ`;
}

/** Where the manifests and rejections of the tables are kept. */
const internal = 'catchment_internal';

/** The record of the tables made by `migrate`: `(table_name, owes_from)`. */
export const tablesRecord = `${internal}.tables`;

export const tableOf = (table: string): string => `main.${name(table)}`;
export const loadsOf = (table: string): string => `${internal}.${name(`${table}_loads`)}`;
export const rejectedOf = (table: string): string => `${internal}.${name(`${table}_rejected`)}`;

const types: Record<ColumnType, string> = {
  string: 'VARCHAR',
  int64: 'BIGINT',
  double: 'DOUBLE',
  decimal: 'DECIMAL(18,3)',
  boolean: 'BOOLEAN',
  date: 'DATE',
  timestamp: 'TIMESTAMPTZ',
  json: 'JSON',
};

export function typeOf(column: Column): string {
  return column.sql ?? types[column.type];
}

/** Columns that load files carry in every line. */
export const lineColumns = {
  _event_key: 'VARCHAR',
  _event_id: 'VARCHAR',
  _source: 'VARCHAR',
  _row: 'INTEGER',
  _sent_at: 'TIMESTAMPTZ',
  _batch: 'VARCHAR',
} as const;

export const systemColumns = { ...lineColumns, _version: 'INTEGER', _loaded_at: 'TIMESTAMPTZ' } as const;

export const rejectionColumns = {
  event_key: 'VARCHAR',
  event_id: 'VARCHAR',
  sent_at: 'TIMESTAMPTZ',
  batch: 'VARCHAR',
  key: 'VARCHAR',
  line: 'BIGINT',
  reason: 'VARCHAR',
} as const;

const loadsColumns =
  'version INTEGER NOT NULL, batch VARCHAR NOT NULL, load VARCHAR NOT NULL, key VARCHAR NOT NULL, events BIGINT NOT NULL, ' +
  'matched BIGINT NOT NULL, rows BIGINT NOT NULL, removed BIGINT NOT NULL, duplicates BIGINT NOT NULL, ' +
  'rejected BIGINT NOT NULL, cleared BIGINT NOT NULL, problem VARCHAR, loaded_at TIMESTAMPTZ NOT NULL';
const rejectedColumns =
  'version INTEGER NOT NULL, event_key VARCHAR NOT NULL, event_id VARCHAR NOT NULL, sent_at TIMESTAMPTZ NOT NULL, ' +
  'batch VARCHAR NOT NULL, key VARCHAR NOT NULL, line BIGINT NOT NULL, reason VARCHAR NOT NULL, ' +
  'rejected_at TIMESTAMPTZ NOT NULL';

/** What must be there before anything else: all views answer, though there is no table yet. */
export const initialSql = [
  `CREATE SCHEMA IF NOT EXISTS ${internal}`,
  `CREATE TABLE IF NOT EXISTS ${tablesRecord} (table_name VARCHAR NOT NULL, owes_from TIMESTAMPTZ NOT NULL)`,
];

/**
 * A table with its manifest and rejections. There is no primary key, which would cost six times the file and ten times
 * the load, and no user column is NOT NULL: the transform checks rows, and older rows have nothing in a newer column.
 */
export function createSql(shape: TableShape): string[] {
  const columns = [
    ...shape.columns.map((column) => `${name(column.name)} ${typeOf(column)}`),
    ...Object.entries(systemColumns).map(([column, type]) => `${column} ${type} NOT NULL`),
  ];
  return [
    `CREATE TABLE ${tableOf(shape.name)} (${columns.join(', ')})`,
    `CREATE TABLE ${loadsOf(shape.name)} (${loadsColumns})`,
    `CREATE TABLE ${rejectedOf(shape.name)} (${rejectedColumns})`,
  ];
}

/** The views `catchment_loads` and `catchment_rejected`, over the manifests and rejections of all `tables`. */
export function viewsSql(tables: readonly string[]): string[] {
  const view = (view: string, columns: string, of: (table: string) => string) => {
    const none = columns.split(', ').map((column) => {
      const [columnName, type] = column.split(' ');
      return `NULL::${type!} AS ${columnName!}`;
    });
    const parts = tables.map((table) => `SELECT ${text(table)} AS table_name, * FROM ${of(table)}`);
    const empty = `SELECT NULL::VARCHAR AS table_name, ${none.join(', ')} WHERE false`;
    return `CREATE OR REPLACE VIEW main.${view} AS ${parts.length > 0 ? parts.join(' UNION ALL ') : empty}`;
  };
  return [view('catchment_loads', loadsColumns, loadsOf), view('catchment_rejected', rejectedColumns, rejectedOf)];
}

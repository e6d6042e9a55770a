import { join } from 'node:path';

import { CatchmentError, ConfigError, RowsRefused, Unavailable, withoutQuotes } from '../../errors.js';
import type { Load } from '../warehouse.js';

/** What a driver said; its errors are not always of this realm's `Error`. */
function messageOf(error: unknown): string {
  const message = (error as { message?: unknown } | undefined)?.message;
  return typeof message === 'string' ? message.replace(/^Failed to extract statements: /, '') : 'an unknown error';
}

/** Whether DuckDB said no to a change of a table because of what stands on it: an index, a constraint, a value. */
export function isOfTable(error: unknown): boolean {
  return ['Dependency', 'Catalog', 'Binder', 'Constraint', 'Conversion'].includes(classOf(error) ?? '');
}

/** DuckDB names the class of an error in front of its message: `Conversion Error: …`. */
function classOf(error: unknown): string | undefined {
  return /^(\w+(?: \w+)*) Error: /.exec(messageOf(error))?.[1];
}

/** One line, in full: for what was said of a file, before any value was read. */
export function fileMessage(error: unknown): string {
  return messageOf(error).split('\n', 1)[0]!.slice(0, 300);
}

/** One line, without values. */
function driverMessage(error: unknown): string {
  // `Type INT64 with value 123 can't be cast`: a value without quotes.
  return withoutQuotes(messageOf(error).replace(/with value .*/s, '…'));
}

const ofRows = new Set(['Conversion', 'Constraint', 'Invalid Input', 'Out of Range', 'Mismatch Type', 'Invalid type']);
const ofStatement = new Set(['Parser', 'Syntax', 'Binder', 'Catalog', 'Not implemented', 'Permission']);

/** The database cannot be used any more in this process: it must be opened anew. */
export function isFatal(error: unknown): boolean {
  return classOf(error) === 'FATAL' || messageOf(error).includes('database has been invalidated');
}

/** Of which table and load a statement of ours was. */
interface Concerned {
  readonly table?: string;
  /** The folder of the staging lake, and what was loaded from it. */
  readonly root?: string;
  readonly load?: Load;
}

/** The typed error of a statement of ours. */
export function failure(error: unknown, doing: string, concerned: Concerned = {}): CatchmentError {
  if (error instanceof CatchmentError) return error;
  const kind = classOf(error);
  const place = concerned.table === undefined ? {} : { table: concerned.table };
  if (kind !== undefined && ofRows.has(kind)) {
    const column = columnIn(messageOf(error), concerned);
    return new RowsRefused(
      `${doing}: DuckDB refused a row (${kind} Error)${column === undefined ? '' : `, column ${column}`}`,
      { ...place, ...(column !== undefined && { column }), ...lineIn(messageOf(error), concerned) },
    );
  }
  if (kind === 'INTERRUPT') return new Unavailable(`${doing}: interrupted`, place);
  return new Unavailable(`${doing}: ${driverMessage(error)}`, place);
}

// Some of these messages hold the value without any quotes, and a value may look like a message: nothing is taken over
// but names that are the load's own.

function columnIn(message: string, { load }: Concerned): string | undefined {
  const named = /source column "?(\w+)"?\s*$|NOT NULL constraint failed: (?:\w+\.)?(\w+)/m.exec(message);
  const column = named?.[1] ?? named?.[2];
  return load?.table.columns.find(({ name }) => name === column)?.name;
}

function lineIn(message: string, { load, root = '' }: Concerned): { key: string; line: number } | undefined {
  const [, path, line] = /in file "([^"]*)", in (?:line|record\/value) (\d{1,15})\b/.exec(message) ?? [];
  const files = load?.batches.flatMap(({ rowsFile }) => rowsFile ?? []);
  const file = files?.find(({ key }) => join(root, key) === path);
  return file && { key: file.key, line: Number(line) };
}

/**
 * The typed error of a statement of the user's. What is wrong with the statement itself is told in full, since it holds
 * nothing but what they wrote and the names of columns; what is wrong with a value is told without it.
 */
export function queryFailure(error: unknown): CatchmentError {
  if (error instanceof CatchmentError) return error;
  const kind = classOf(error);
  if (kind !== undefined && ofStatement.has(kind)) return new ConfigError(messageOf(error).trim());
  if (kind === 'TransactionContext' && messageOf(error).includes('read-only')) {
    return new ConfigError('a query only reads: what it changed would no longer agree with the manifest');
  }
  if (kind === 'IO' || kind === 'INTERRUPT' || isFatal(error))
    return new Unavailable(`the query failed: ${driverMessage(error)}`);
  return new CatchmentError(`the query failed: ${driverMessage(error)}`);
}

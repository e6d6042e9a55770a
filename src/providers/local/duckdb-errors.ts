import { CatchmentError, ConfigError, RowsRefused, Unavailable, withoutQuotes } from '../../errors.js';

/** What a driver said; its errors are not always of this realm's `Error`. */
function messageOf(error: unknown): string {
  const message = (error as { message?: unknown } | undefined)?.message;
  return typeof message === 'string' ? message.replace(/^Failed to extract statements: /, '') : 'an unknown error';
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

/** The typed error of a statement of ours. `keyOf` tells the staged file of a path that DuckDB names. */
export function failure(
  error: unknown,
  doing: string,
  table?: string,
  keyOf?: (path: string) => string,
): CatchmentError {
  if (error instanceof CatchmentError) return error;
  const kind = classOf(error);
  const place = table === undefined ? {} : { table };
  if (kind !== undefined && ofRows.has(kind)) {
    // Some of these messages hold the value without any quotes, so nothing is taken over but names.
    const message = messageOf(error);
    const file = /in file "([^"]*)", in (?:line|record\/value) (\d+)/.exec(message);
    const column =
      /source column "?(\w+)/.exec(message)?.[1] ?? /NOT NULL constraint failed: (?:\w+\.)?(\w+)/.exec(message)?.[1];
    return new RowsRefused(
      `${doing}: DuckDB refused a row (${kind} Error)${column === undefined ? '' : `, column ${column}`}`,
      {
        ...place,
        ...(column === undefined ? {} : { column }),
        ...(file === null ? {} : { key: keyOf?.(file[1]!) ?? file[1]!, line: Number(file[2]) }),
      },
    );
  }
  if (kind === 'INTERRUPT') return new Unavailable(`${doing}: interrupted`, place);
  return new Unavailable(`${doing}: ${driverMessage(error)}`, place);
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

import {
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBIntervalValue,
  JsonDuckDBValueConverter,
  type DuckDBConnection,
  type DuckDBInstance,
  type DuckDBValueConverter,
  type Json,
} from '@duckdb/node-api';

import { ConfigError, Unavailable } from '../../errors.js';
import { queryFailure } from './duckdb-errors.js';
import { interruptOnAbort } from './duckdb-session.js';

/**
 * The rows of one statement, as they come, on a connection of its own that can only read. Values are those of JSON: what a
 * number would lose digits of is a string, moments are ISO 8601 in UTC, a JSON column is its text. An abort interrupts it.
 */
export async function* query(
  instance: DuckDBInstance,
  sql: string,
  signal: AbortSignal,
): AsyncGenerator<Record<string, unknown>> {
  const connection = await instance.connect();
  const interrupts = interruptOnAbort(connection, signal);
  try {
    if (signal.aborted) throw new Unavailable('the query was given up');
    const statement = await prepareOne(connection, sql);
    await connection.run('BEGIN TRANSACTION READ ONLY');
    const result = await statement.stream();
    const names = result.deduplicatedColumnNames();
    for await (const rows of result.yieldConvertedRows(converter)) {
      for (const row of rows) yield Object.fromEntries(names.map((name, i) => [name, row[i]]));
    }
  } catch (error) {
    throw queryFailure(error);
  } finally {
    interrupts.stop();
    connection.closeSync();
  }
}

/** A second statement would run outside the transaction that only reads, once the first has ended it. */
async function prepareOne(connection: DuckDBConnection, sql: string) {
  // The driver has no message for this one.
  if (sql.replace(/--.*$/gm, '').trim() === '') throw new ConfigError('the query is empty');
  const statements = await connection.extractStatements(sql);
  if (statements.count === 1) return statements.prepare(0);
  throw new ConfigError(`a query is one statement, and these are ${statements.count}`);
}

const converter: DuckDBValueConverter<Json> = (value, type, self) => {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (value instanceof DuckDBTimestampTZValue || value instanceof DuckDBTimestampValue)
    return iso(value.micros * 1_000n);
  if (value instanceof DuckDBTimestampMillisecondsValue) return iso(value.millis * 1_000_000n);
  if (value instanceof DuckDBTimestampSecondsValue) return iso(value.seconds * 1_000_000_000n);
  if (value instanceof DuckDBTimestampNanosecondsValue) return iso(value.nanos);
  if (value instanceof DuckDBIntervalValue) return value.toString();
  return JsonDuckDBValueConverter(value, type, self);
};

const nanosInMillisecond = 1_000_000n;

/** To the millisecond, and further digits only where there are any. */
function iso(nanos: bigint): string {
  const rest = ((nanos % nanosInMillisecond) + nanosInMillisecond) % nanosInMillisecond;
  const date = new Date(Number((nanos - rest) / nanosInMillisecond));
  // Infinity, and years that a Date cannot hold.
  if (Number.isNaN(date.getTime())) return nanos > 0n ? 'infinity' : '-infinity';
  const digits = rest === 0n ? '' : String(rest).padStart(6, '0').replace(/0+$/, '');
  return `${date.toISOString().slice(0, -1)}${digits}Z`;
}

import { parseObjectKey } from '../../keys.js';
import type { Held, Warehouse } from '../warehouse.js';
import { owesFrom } from './duckdb-audit.js';
import type { Session } from './duckdb-session.js';
import { list, loadsOf, rejectedOf, tableOf, text } from './duckdb-sql.js';

export async function loaded(
  session: Session,
  table: string,
  { after, upTo, limit }: Parameters<Warehouse['loaded']>[1],
): Promise<string[]> {
  await owesFrom(session, table);
  const rows = await session.rows(
    `SELECT DISTINCT key FROM ${loadsOf(table)} WHERE problem IS NULL AND key > ${text(after)} AND key <= ${text(upTo)} ` +
      `ORDER BY key LIMIT ${limit}`,
  );
  return rows.map((row) => row['key'] as string);
}

/** One statement, so that an event is never seen between its rejection and its rows. */
export function heldSql(table: string, eventKeys?: readonly string[]): string {
  const wanted = (column: string): string =>
    eventKeys === undefined ? '' : ` WHERE ${column} IN ${list(eventKeys.length === 0 ? [''] : eventKeys)}`;
  return (
    `SELECT _event_key AS event, _version AS version, _source AS source, _batch AS batch, NULL AS key ` +
    `FROM ${tableOf(table)}${wanted('_event_key')} UNION ALL ` +
    `SELECT event_key, version, NULL, batch, key FROM ${rejectedOf(table)}${wanted('event_key')}`
  );
}

/** Of a row of `heldSql`. */
export function heldOf({ event, version, source, batch, key }: Readonly<Record<string, unknown>>): Held {
  return {
    eventKey: event as string,
    rejected: key !== null,
    version: version as number,
    source: key === null ? (source as string) : (parseObjectKey(key as string)?.source ?? ''),
    batch: batch as string,
  };
}

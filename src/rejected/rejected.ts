import { parsePlace, writePlace } from '../show/place.js';
import type { Warehouse } from '../providers/warehouse.js';

/** What `catchment rejected --table T --json` prints. */
export interface RejectedPage {
  readonly table: string;
  readonly rejections: readonly { readonly key: string; readonly line: number; readonly reason: string }[];
  /** The `KEY:LINE` to go on after; absent where this was the last page. */
  readonly next?: string;
}

/** What `catchment rejected --json` prints without a table. */
export interface RejectedCounts {
  /** The most frequent first. */
  readonly reasons: readonly { readonly table: string; readonly reason: string; readonly events: number }[];
  /** There are more reasons than were asked for. */
  readonly more: boolean;
}

export interface PageWanted {
  readonly table: string;
  /** Any part of the reason. */
  readonly reason?: string;
  /** The `KEY:LINE` of the last one seen. */
  readonly after?: string;
  readonly limit: number;
}

/** A table's rejected events in order of key and line. Throws `ConfigError` where `after` is no place, and `TableMissing`. */
export async function rejectedPage(
  warehouse: Pick<Warehouse, 'rejections'>,
  { table, reason, after, limit }: PageWanted,
): Promise<RejectedPage> {
  if (after !== undefined) parsePlace(after, '--after');
  const found = await warehouse.rejections(table, {
    ...(reason !== undefined && { reason }),
    ...(after !== undefined && { after }),
    limit: limit + 1,
  });
  const rejections = found.slice(0, limit);
  const last = rejections.at(-1);
  return { table, rejections, ...(found.length > limit && last !== undefined && { next: writePlace(last) }) };
}

/** How many events are rejected, by table and reason. */
export async function rejectedCounts(warehouse: Pick<Warehouse, 'query'>, limit: number): Promise<RejectedCounts> {
  const sql = `SELECT table_name, reason, count(*) AS events FROM catchment_rejected GROUP BY table_name, reason
    ORDER BY count(*) DESC, table_name, reason LIMIT ${limit + 1}`;
  const reasons = [];
  for await (const { table_name: table, reason, events } of warehouse.query(sql))
    reasons.push({ table: String(table), reason: String(reason), events: Number(events) });
  return { reasons: reasons.slice(0, limit), more: reasons.length > limit };
}

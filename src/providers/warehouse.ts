import type { Lake } from './lake.js';
import type { Finding } from './queue.js';

export type ColumnType = 'string' | 'int64' | 'double' | 'decimal' | 'boolean' | 'date' | 'timestamp' | 'json';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  /** The warehouse's own type, where the user overrides: `decimal(12,2)`. */
  readonly sql?: string;
}

/** A table as the warehouse makes it: the user's columns; the warehouse adds the system columns. */
export interface TableShape {
  readonly name: string;
  readonly version: number;
  readonly columns: readonly Column[];
  readonly cluster: readonly string[];
}

export interface StagedFile {
  readonly key: string;
  /** Hex SHA-256 of the file's bytes. */
  readonly sha256: string;
}

/**
 * One lake object's part in a load.
 *
 * `rowsFile`: gzip NDJSON, a line a row:
 * `{"_event_key","_event_id","_source","_row","_sent_at","_batch", …the user's columns, each present, null where empty}`.
 * `_row` counts from 0 within the event. In modes `replace` and `rejected` a line with `_row: -1` and no user columns says
 * that the event makes no row any more. `_sent_at` and timestamps are ISO 8601 in UTC (`2026-11-24T12:00:00.000Z`), dates `YYYY-MM-DD`,
 * int64 and decimals JSON strings of digits, json columns a JSON *string* that holds the JSON text.
 *
 * `rejectionsFile`: gzip NDJSON, a line a rejected event: `{"event_key","event_id","sent_at","batch","key","line","reason"}`;
 * `line` counts from 1.
 *
 * A file may hold two copies of one event (the same `_event_key` on several runs of lines, the copies' `_row` each from 0).
 */
export interface LoadBatch {
  readonly batch: string;
  /** The lake object's key. */
  readonly key: string;
  /** Events in the object. */
  readonly events: number;
  /** Events that the table's `match` took, copies included. */
  readonly matched: number;
  /** Where copies of these events are looked for by `_sent_at`, both ends included (ISO 8601), window included. */
  readonly lookFrom: string;
  readonly lookTo: string;
  readonly rowsFile?: StagedFile;
  readonly rejectionsFile?: StagedFile;
  /** The object could not be read: a manifest line that never counts as loaded. */
  readonly problem?: 'gone' | 'corrupt';
}

/** What `transform` wrote: the plan of one table's load, itself a file in staging. */
export interface Load {
  /** The same on every retry: names staging tables and jobs. */
  readonly id: string;
  readonly table: TableShape;
  /** `rejected`: only batches with a line, only events that have a rejection. */
  readonly existing: 'keep' | 'replace' | 'rejected';
  /** Of `replace` (ISO 8601): a line of the table's version that is older settles no batch, so that it is made anew. */
  readonly anew?: string;
  readonly batches: readonly LoadBatch[];
}

/** So many events of one load may be refused by the warehouse alone; more are the table's fault, not theirs. */
export const mostRefused = 100;

/** What one load added to the manifest, summed over its batches; the same on a repeat. */
export interface LoadResult {
  readonly events: number;
  readonly matched: number;
  readonly rows: number;
  readonly removed: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly cleared: number;
}

/** One thing that `migrate` did or would do. */
export interface Change {
  readonly table: string;
  readonly what: 'create table' | 'add column' | 'widen column';
  readonly column?: string;
}

/** Manifest sums beside the table's own counts, in one snapshot. */
export interface Audit {
  /** Sums over the manifest. */
  readonly events: number;
  readonly matched: number;
  readonly rows: number;
  readonly removed: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly cleared: number;
  /** The table's own counts. */
  readonly rowsCounted: number;
  readonly rejectionsCounted: number;
  /** Rows whose (_event_key, _row) stands more than once, beyond the first; among `_sent_at >= since`. */
  readonly rowsTwice: number;
  /** (source, id) pairs with more than one identity; among `_sent_at >= since`. */
  readonly conflicts: number;
  /** Batches with a `problem` line and no line without one. */
  readonly unreadable: number;
  /** Newest `_loaded_at` of a row, where there is one. */
  readonly loadedAt?: Date;
}

export interface WantedRejections {
  /** Any part of the reason. */
  readonly reason?: string;
  /** The `key:line` of the last one seen, or a key alone: whatever else is of that object is passed over. */
  readonly after?: string;
  /** ISO 8601: only what was rejected before then. */
  readonly before?: string;
  readonly limit: number;
}

/** By how much the manifest's sums were above the table's counts (below it, where negative) before they were made to meet. */
export interface Amended {
  readonly rows: number;
  readonly rejections: number;
}

/** A row of a table, or a rejection, as far as it says which event it is of. */
export interface Held {
  readonly eventKey: string;
  readonly rejected: boolean;
  readonly version: number;
  readonly source: string;
  readonly batch: string;
}

export interface Warehouse {
  /** The live rhythm is max(freshness / 2, everyMs); at most `maxFiles` lake objects a load. */
  readonly cadence: { readonly everyMs: number; readonly maxFiles: number };
  /** What a value may be; checked in the transform, row by row. */
  readonly limits: {
    readonly stringBytes: number;
    readonly jsonBytes: number;
    readonly jsonDepth: number;
    readonly minTime: string;
    readonly maxTime: string;
  };
  /** A lake of the warehouse's own for load files, for where it cannot read the pipeline's lake. */
  readonly staging?: Lake;
  canRead(lakeUri: string): boolean;
  /**
   * Makes or widens tables, and records from when each owes its events; repeatable, safe from several processes and
   * beside loads, those of the shape before included. A column that is added is nullable in the warehouse whatever the
   * shape says, and one that the shape no longer has stays. A column's type is widened where the warehouse can do so and
   * every value stays what it is (INTEGER to BIGINT, DECIMAL(10,2) to DECIMAL(12,2)).
   * Throws `SchemaConflict` (table, column, what to do instead), having changed nothing of that table, and all others.
   */
  migrate(tables: readonly TableShape[], how: 'plan' | 'apply'): Promise<Change[]>;
  /**
   * Does what `load` would, and rolls back; throws as it does. A `RowsRefused` names the refused lines where the warehouse
   * can tell: the first of each event, of up to `mostRefused + 1` events at once, since to probe for each would take minutes.
   * With `lines` empty it is for the caller to find them, by probing parts of the load.
   */
  probe(load: Load, staging: Lake, signal: AbortSignal): Promise<void>;
  /**
   * ONE transaction; loads of one table are serialised by the warehouse itself; a repeat is a no-op with the same answer.
   * Leaves out each batch that is settled for its mode, judged inside the transaction. Of the copies of an event in one
   * load the first with rows decides, else the first rejected. In mode `rejected` a line counts no events, and as matched
   * only those that it looked at: an earlier line has counted the object. Throws `RowsRefused`, `Unavailable`,
   * `TableMissing` or `SchemaConflict` where the table is not, or is no longer, what the load is for (both say what to
   * do), or `LakeNotFound` or `LakeCorrupt` for a load file that must be written again.
   */
  load(load: Load, staging: Lake, signal: AbortSignal): Promise<LoadResult>;
  /** What was stored in the lake from then on must be in the table. Throws `TableMissing`. */
  owesFrom(table: string): Promise<Date>;
  /** Those of `batches` that have no good manifest line; `anew` as in a load: older lines of this version do not count. */
  missing(
    table: TableShape,
    batches: readonly string[],
    at: 'any version' | 'this version or higher',
    anew?: string,
  ): Promise<string[]>;
  /** Keys of lake objects that have a good manifest line, beyond `after` and up to `upTo`, in order, each once. */
  loaded(table: string, want: { after: string; upTo: string; limit: number }): Promise<string[]>;
  /** Every row and every rejection, or those of some events, in one snapshot and in no order, as they come. */
  held(table: string, eventKeys?: readonly string[]): AsyncIterable<Held>;
  /** In order of key and line. */
  rejections(table: string, want: WantedRejections): Promise<{ key: string; line: number; reason: string }[]>;
  audit(table: TableShape, since: Date): Promise<Audit>;
  /**
   * Adds to the manifest a line without a key that makes its sums meet the table's counts, where they do not: for who has
   * proved what the table holds, after somebody changed it beside the loads. ONE transaction, in turn with the loads.
   */
  amend(table: TableShape): Promise<Amended>;
  query(sql: string): AsyncIterable<Record<string, unknown>>;
  check(): Promise<readonly Finding[]>;
  close(): Promise<void>;
}

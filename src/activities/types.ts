import type { Load, LoadResult, StagedFile } from '../providers/warehouse.js';
import type { Reference } from '../references.js';

/** What `ingestBatch` knows of a batch: the bytes and receipts stay in the poller process that holds it. */
export interface BatchName {
  readonly source: string;
  readonly batch: string;
}

/** In the poller process that holds the batch, on its own task queue. */
export interface PollerActivities {
  /** Writes the batch's lake object. `returned`: this process no longer holds the batch. */
  persist(batch: BatchName): Promise<Reference | 'returned'>;
}

/** A lake object to load: what a reference says, or as much as its key does. */
export interface ObjectToLoad {
  readonly key: string;
  readonly source: string;
  readonly batch: string;
  readonly events: number;
  /** Hex SHA-256 of the object's bytes, or its first 32 digits. */
  readonly sha256: string;
}

export interface TransformInput {
  readonly load: string;
  readonly objects: readonly ObjectToLoad[];
  readonly tables: readonly string[] | 'all';
  readonly existing: Load['existing'];
  /** A worker whose config has a lower version of the table leaves it to another. */
  readonly version?: number;
  readonly anew?: Load['anew'];
  /** Default true; a backfill's objects let the live ones pass. */
  readonly live?: boolean;
}

/** One table's share of a load. */
export interface PlannedLoad {
  readonly table: string;
  readonly plan: StagedFile;
  /** Lines in its load files: rows and rejections. */
  readonly rows: number;
  readonly rejections: number;
}

export interface TransformResult {
  /** The folder of the load files: `load/<attempt>/`. */
  readonly folder: string;
  readonly planned: readonly PlannedLoad[];
  /** Tables whose code broke down over these objects. */
  readonly failed: readonly { readonly table: string; readonly error: string }[];
  /** Keys of objects that could not be read: gone or corrupt, for all tables alike. */
  readonly unreadable: readonly string[];
}

/** The type of a load's failure that nothing but transforming its objects again can mend: its files are gone. */
export const loadFilesGone = 'LoadFilesGone';

/** The type of a load's failure that no retry mends: rows passed every check of ours, and the warehouse refused them. */
export const rowsRefused = 'RowsRefused';

export interface LoadInput {
  readonly load: string;
  readonly table: string;
  readonly plan: StagedFile;
  /** A live load gives way at once while the table's last failure is fresh. */
  readonly live: boolean;
}

/** A load without the events that only the warehouse refuses, which stand in it as rejections. */
export interface LoadWithoutRefused extends PlannedLoad {
  /** How many events were refused. */
  readonly refused: number;
}

/** What became of one table in a load of several. */
export interface TableLoadOutcome {
  readonly table: string;
  readonly error?: string;
  readonly filesGone?: true;
}

/** A stretch of batches by the time they closed, in Unix milliseconds: `from` within, `to` not. */
export interface BatchRange {
  readonly from: number;
  readonly to: number;
  /** Only what the table owes; else everything within that is missing. */
  readonly owed: boolean;
}

/** What a backfill does, in the order in which one that has several to do serves them. */
export const backfillModes = ['missing', 'rejected', 'replace'] as const;
export type BackfillMode = (typeof backfillModes)[number];

/** A stretch that a backfill goes over in one of its modes. */
export interface BackfillRange extends BatchRange {
  /** Of `rejected`: any part of the reason of the events that are meant; by default all are. */
  readonly reason?: string;
  /** ISO 8601. Of `rejected`: what was rejected before then. Of `replace`: what this version loaded before then is made anew. */
  readonly before?: string;
}

/** How far a listing got: all keys up to this one are done. */
export interface Position {
  readonly source: string;
  readonly key: string;
}

export interface PageInput {
  readonly table: string;
  /** Default: `missing`. */
  readonly mode?: BackfillMode;
  readonly range: BackfillRange;
  readonly after?: Position;
  /** A worker whose config has a lower version of the table leaves it to another. */
  readonly version?: number;
  /** Keys that this backfill has set aside. */
  readonly without: readonly string[];
}

export interface Page {
  readonly objects: readonly ObjectToLoad[];
  /** Where to go on; undefined at the end of the range. */
  readonly next?: Position;
  /** Of the table, as the worker that looked knows it: whoever loads must know no lower one. */
  readonly version?: number;
}

export interface ReconcileOutcome {
  readonly ok: boolean;
  readonly provedUntil: string;
  readonly objects: { readonly lake: number; readonly events: number; readonly underWay: number };
  readonly gaps: readonly { readonly table: string; readonly objects: number; readonly range: BatchRange }[];
}

export interface WorkerActivities {
  /** Rings for the batch's object; `returned` where there is no such object. */
  relay(input: BatchName & { readonly reference?: Reference }): Promise<'stored' | 'returned'>;
  transform(input: TransformInput): Promise<TransformResult>;
  load(input: LoadInput): Promise<LoadResult>;
  /**
   * Finds the events of a load that only the warehouse refuses, and writes a plan in which they are rejections, to be
   * loaded under the same id. Fails with `rowsRefused` where it is the table's fault: then nothing is to be rejected.
   */
  rejectRefused(input: { readonly planned: PlannedLoad }): Promise<LoadWithoutRefused>;
  /** Loads of tables that these objects hold nothing for: a manifest line each. Fails, to be tried again, before its last attempt. */
  loadEmpty(input: {
    readonly loads: readonly LoadInput[];
    readonly attempts: number;
  }): Promise<readonly TableLoadOutcome[]>;
  /** Makes sure that the table's `backfill` runs and covers the range. */
  handOver(input: { readonly table: string; readonly range: BatchRange }): Promise<void>;
  /** The next objects of the lake that are to be loaded. */
  nextPage(input: PageInput): Promise<Page>;
  compare(input: { readonly full: boolean }): Promise<ReconcileOutcome>;
  /** Removes a load's files, which nobody needs any more. */
  discard(input: { readonly folder: string }): Promise<void>;
  /** Removes load files that a killed load left behind. */
  sweep(): Promise<void>;
}

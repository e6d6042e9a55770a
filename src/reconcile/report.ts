/** What `catchment reconcile --json` prints. */
export interface ReconcileReport {
  /** Nothing stored before `provedUntil` is missing, unreadable, short, extra or there twice. */
  readonly ok: boolean;
  /** ISO 8601, by the lake's clock. */
  readonly provedUntil: string;
  readonly objects: {
    /** Objects that were looked at, and the events that their keys name. */
    readonly lake: number;
    readonly events: number;
    /** Objects that some table still misses, stored too lately to be judged. */
    readonly underWay: number;
    /** With `--deep`: objects whose bytes are not there, or not those that they were stored with. */
    readonly unreadable?: number;
    /** The first of these, by key. */
    readonly unreadableKeys?: readonly string[];
  };
  readonly tables: Readonly<Record<string, TableReport>>;
  /** Messages on dead-letter queues; null where one did not answer. */
  readonly deadLetters: number | null;
}

export interface TableReport {
  readonly version: number;
  /** Stored before `provedUntil`, and without a good manifest line. */
  readonly objectsMissing: number;
  /** Loaded by a lower version only. */
  readonly objectsOutdated: number;
  /** Named gone or corrupt by the manifest; those that are still in the lake are missing too. */
  readonly objectsUnreadable: number;
  /** Loaded, and since then gone from the lake, where no retention rule can have taken them. */
  readonly objectsGone: number;
  readonly events: number;
  readonly matched: number;
  readonly rows: number;
  readonly rejected: number;
  readonly duplicates: number;
  readonly conflicts: number;
  /** By the manifest's sums. */
  readonly rowsMissing: number;
  readonly rowsExtra: number;
  readonly rowsTwice: number;
  readonly rejectionsMissing: number;
  readonly rejectionsExtra: number;
  /** With `--deep`. */
  readonly identities?: IdentitiesReport;
  /** Why the table does not hold where no number says it. */
  readonly problem?: string;
}

/** The lake's bodies against the table. */
export interface IdentitiesReport {
  /** Those of which is known what the table must have. */
  readonly compared: number;
  /**
   * Where there are any: rows and rejections of no event, or of a source that is not the pipeline's, and events of which
   * nothing is there, though one of their copies makes some. The sums of the manifest alone tell whether they hold.
   */
  readonly notCompared?: number;
  /** Neither rows nor a rejection, though the table's transform makes some. */
  readonly missing: number;
  /** Another number of rows than the table's transform makes. */
  readonly uneven: number;
  /** Rows or a rejection of an event that no lake object has. */
  readonly extra: number;
  /** The first that do not hold, as `_event_key`. */
  readonly examples: readonly string[];
  /** When the batches closed that the missing and the uneven ones are in; ISO 8601, both ends included. */
  readonly within?: { readonly from: string; readonly to: string };
  /** The warehouse has this version, of which the config knows nothing: only `extra` could be told. */
  readonly newerVersion?: number;
}

/** What a table misses, for whoever starts `backfill`. */
export interface Gap {
  readonly table: string;
  /** The hours of the keys: Unix milliseconds, `from` included, `to` not. */
  readonly from: number;
  readonly to: number;
  readonly objects: number;
  /** Of the oldest, since it was stored. */
  readonly oldestMs: number;
}

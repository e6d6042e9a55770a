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
  /** Why the table does not hold where no number says it. */
  readonly problem?: string;
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

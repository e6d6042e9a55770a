/** What `catchment status --json` prints. A part that did not answer is named in `unanswered`, and what it would tell is absent. */
export interface StatusReport {
  readonly pipeline: string;
  readonly urls: {
    /** Temporal's UI, where `dev` runs it. */
    readonly temporal?: string;
  };
  /** The sources by name, and `secondary`. */
  readonly queues: Readonly<Record<string, QueueStatus>>;
  readonly lake?: {
    readonly objects: number;
    readonly events: number;
  };
  readonly tables: Readonly<Record<string, TableStatus>>;
  /** Workflows of the pipeline that run now, `reconcile` left out. */
  readonly workflows?: number;
  readonly unanswered: readonly Unanswered[];
}

export interface QueueStatus {
  readonly waiting: number;
  readonly leased: number;
  /** Age of the oldest message; null where there is none, or the queue does not tell. */
  readonly oldestSeconds: number | null;
  /** When it was so, where the queue tells it only some time later. */
  readonly asOf?: string;
}

export interface TableStatus {
  readonly rows: number;
  readonly rejected: number;
  /** How old the oldest stored event is that cannot be queried yet; 0 where all can. */
  readonly freshnessSeconds?: number;
  /** Objects of any age that the table owes and has not loaded. */
  readonly objectsMissing?: number;
}

export interface Unanswered {
  readonly part: string;
  readonly error: string;
}

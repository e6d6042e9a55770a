/** What `catchment stuck --json` prints. */
export interface StuckReport {
  readonly pipeline: string;
  /** Workflows of the pipeline that run now, `reconcile` included, and how many of them, the longest running first, were looked at. */
  readonly workflows: { readonly running: number; readonly lookedAt: number };
  /** The one that waits longest first. */
  readonly stuck: readonly Stuck[];
}

/** One thing that does not go on. */
export interface Stuck {
  readonly workflowId: string;
  readonly runId: string;
  /**
   * `failing`: it failed and is tried again; `paused`: somebody paused it; `no worker`: it was never tried, since no worker
   * has taken it for half a minute.
   */
  readonly state: 'failing' | 'paused' | 'no worker';
  /** What does not go on; absent where it is the workflow itself, whose code cannot be run or is not taken by a worker. */
  readonly activity?: { readonly id: string; readonly type: string; readonly summary?: string };
  /** Where it is about one table. */
  readonly table?: string;
  /** Which attempt this is, the next one where none runs now. */
  readonly attempt: number;
  /** Since when it is in this state: scheduled first, or paused. ISO 8601, as all times. */
  readonly since?: string;
  readonly nextAttemptAt?: string;
  /** Of the last attempt. */
  readonly error?: { readonly type?: string; readonly message: string };
  /** What an operator runs to make it go on at once. */
  readonly command: string;
}

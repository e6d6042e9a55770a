import type { Problem } from '../problems.js';

/** Where a part of a pipeline stands: what a provider needs to know to open it. */
export interface Place {
  /** The pipeline's name. */
  readonly pipeline: string;
  /** The folder `.catchment`, for what is kept on this machine. */
  readonly dataDir: string;
  /** The part: a source's name behind `source-`, `secondary`, `lake`, `warehouse` or `staging`. */
  readonly part: string;
}

export type PartKind = 'queue' | 'lake' | 'warehouse';

/**
 * A queue, lake or warehouse as a config names it. Making one opens no connection and needs no credentials; `open` may be
 * called by every process that needs the part, and is lazy itself: the first call of the part connects.
 */
export interface Provider<Part> {
  /** For people: `duckdb`, `sqs`. */
  readonly name: string;
  /** What it opens, so that one in the wrong place of a config is told; types alone say nothing when a config is run. */
  readonly kind?: PartKind;
  /** Keeps its data on this machine and answers at once: a pipeline of such parts alone gets shorter defaults. */
  readonly embedded?: true;
  /** Mistakes in its options: whoever loads the config reports them all, and `open` throws `ConfigError`. */
  readonly problems?: readonly Problem[];
  /**
   * What its options name, by the option. No two of a pipeline may be the same: whoever takes references acknowledges what
   * is none, and an event on that queue would be gone.
   */
  readonly addresses?: Readonly<Record<string, string>>;
  open(place: Place): Part;
}

/**
 * A batch and the load that follows it cost about a fifth of a CPU-second, most of it Temporal's own: closed more often
 * than this, batches wait for each other longer than events wait for them (bench, 2 cores, `freshness: '1s'`).
 */
const worthwhileMs = 450;
/** About what the work itself takes of an event's way, in milliseconds: of a short freshness only the rest can be waited. */
const workMs = 600;

export interface Rhythm {
  /** As long as a batch gathers, in milliseconds. */
  readonly lingerMs: number;
  /** From one load's start to the next one's. */
  readonly cadenceMs: number;
}

/** What of `freshness` is spent where: of a long one a third and a half. */
export function rhythmOf(freshnessMs: number, { everyMs }: { readonly everyMs: number }): Rhythm {
  return {
    lingerMs: Math.max(freshnessMs / 3, Math.min(freshnessMs / 2, worthwhileMs)),
    cadenceMs: Math.max(everyMs, (freshnessMs - workMs) / 2),
  };
}

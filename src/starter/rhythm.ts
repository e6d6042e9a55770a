/**
 * About what the work itself takes of an event's way on a busy machine, in milliseconds: of a short freshness only the
 * rest can be spent on waiting for company.
 */
const workMs = 600;
const leastSpacingMs = 50;

export interface Rhythm {
  /** From one batch's close to the next one's while none is under way, in milliseconds. */
  readonly spacingMs: number;
  /** As long as a batch that is under way lets the next one gather, at the longest. */
  readonly lingerMs: number;
  /** From one load's start to the next one's. */
  readonly cadenceMs: number;
}

/** What of `freshness` is spent where: batches are few where it is long, and close as soon as they may where it is short. */
export function rhythmOf(freshnessMs: number, { everyMs }: { readonly everyMs: number }): Rhythm {
  const spare = Math.max(0, freshnessMs - workMs);
  return {
    spacingMs: Math.max(leastSpacingMs, spare / 3),
    lingerMs: freshnessMs / 3,
    cadenceMs: Math.max(everyMs, spare / 2),
  };
}

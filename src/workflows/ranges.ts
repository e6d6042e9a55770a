import type { BackfillRange, BatchRange, ObjectToLoad } from '../activities/types.js';

/** A UUIDv7's first 48 bits are its Unix time in milliseconds; the ids here are ours, so they are not checked again. */
function timeOf(batch: string): number {
  return Number.parseInt(batch.slice(0, 8) + batch.slice(9, 13), 16);
}

/** The stretch that just holds these objects. */
export function rangeOf(objects: readonly ObjectToLoad[]): BatchRange {
  const times = objects.map(({ batch }) => timeOf(batch));
  return { from: Math.min(...times), to: Math.max(...times) + 1, owed: false };
}

/** So many stretches are kept apart; beyond it they become one, and what lies between is looked at as well. */
const mostRanges = 20;

/** What is handed over load by load lies closer together than this, and what is asked for by hours does not. */
export const nearMs = 10 * 60_000;

/**
 * Adds a stretch to those still to do; stretches that touch, or lie no farther apart than `apartMs`, become one, unless
 * they are of other events.
 */
export function addRange(ranges: readonly BackfillRange[], added: BackfillRange, apartMs = 0): BackfillRange[] {
  let whole = added;
  const apart: BackfillRange[] = [];
  for (const range of ranges) {
    const alike = range.owed === added.owed && range.reason === added.reason;
    if (alike && range.from <= whole.to + apartMs && range.to >= whole.from - apartMs) whole = both(range, whole);
    else apart.push(range);
  }
  const all = [...apart, whole];
  if (all.length <= mostRanges) return all;
  return [true, false].flatMap((owed) => {
    const same = all.filter((range) => range.owed === owed);
    return same.length === 0 ? [] : [same.reduce(both)];
  });
}

/** A stretch that holds two: of the later moment where both name one, of every reason where they differ. */
function both(a: BackfillRange, b: BackfillRange): BackfillRange {
  const before = [a.before, b.before]
    .filter((time) => time !== undefined)
    .sort()
    .at(-1);
  return {
    from: Math.min(a.from, b.from),
    to: Math.max(a.to, b.to),
    owed: a.owed,
    ...(a.reason !== undefined && a.reason === b.reason && { reason: a.reason }),
    ...(before !== undefined && { before }),
  };
}

import type { BatchRange, ObjectToLoad } from '../activities/types.js';

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

/** Adds a stretch to those still to do; stretches that touch become one. */
export function addRange(ranges: readonly BatchRange[], added: BatchRange): BatchRange[] {
  let { from, to } = added;
  const apart: BatchRange[] = [];
  for (const range of ranges) {
    if (range.owed === added.owed && range.from <= to && range.to >= from) {
      from = Math.min(from, range.from);
      to = Math.max(to, range.to);
    } else {
      apart.push(range);
    }
  }
  const all = [...apart, { from, to, owed: added.owed }];
  if (all.length <= mostRanges) return all;
  return [true, false].flatMap((owed) => {
    const same = all.filter((range) => range.owed === owed);
    if (same.length === 0) return [];
    return [
      { owed, from: Math.min(...same.map((range) => range.from)), to: Math.max(...same.map((range) => range.to)) },
    ];
  });
}

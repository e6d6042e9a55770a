import type { Stuck } from './report.js';

/** What is stuck in the same way, the longest first. */
export type StuckGroup = readonly [Stuck, ...Stuck[]];

/** In the order in which the first of each comes. */
export function groupAlike(stuck: readonly Stuck[]): StuckGroup[] {
  const groups = new Map<string, [Stuck, ...Stuck[]]>();
  for (const one of stuck) {
    const { workflowId, state, activity, table, error } = one;
    const [kind] = workflowId.split('/', 1);
    const alike = JSON.stringify([state, kind, activity?.type, table, error?.type, withoutIds(error?.message)]);
    const group = groups.get(alike);
    if (group === undefined) groups.set(alike, [one]);
    else group.push(one);
  }
  return [...groups.values()];
}

/** Each batch's error names its own object. */
function withoutIds(message: string | undefined): string | undefined {
  return message?.replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(_\d+_[0-9a-f]{32})?/g, '…');
}

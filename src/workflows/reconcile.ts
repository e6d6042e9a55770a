import { setCurrentDetails } from '@temporalio/workflow';

import type { ReconcileOutcome } from '../activities/types.js';
import { count, counted } from '../amounts.js';
import { quick, steady, sweep } from './activities.js';

export interface ReconcileInput {
  /** Over all that the tables owe, not only over the last days. */
  readonly full: boolean;
}

/** Compares lake and manifests, and has backfills load what is missing for too long. */
export async function reconcile(input: ReconcileInput): Promise<ReconcileOutcome> {
  setCurrentDetails(input.full ? 'comparing all that the tables owe' : 'comparing what was stored in the last days');
  const outcome = await steady.compare.executeWithOptions({ summary: 'compare the lake with the manifests' }, [input]);
  for (const { table, objects, range } of outcome.gaps) {
    const summary = `${table} is missing ${counted(objects, 'lake object')}: start its backfill`;
    await quick.handOver.executeWithOptions({ summary }, [{ table, range }]);
  }
  await sweep().catch(() => undefined);
  setCurrentDetails(describe(outcome));
  return outcome;
}

function describe({ ok, provedUntil, objects: { lake, events, underWay }, gaps }: ReconcileOutcome): string {
  const lines = gaps.map(
    ({ table, objects }) => `- ${table} is missing ${counted(objects, 'lake object')}: its backfill runs`,
  );
  const compared = `${counted(lake, 'lake object')} of ${counted(events, 'event')}, ${count(underWay)} under way`;
  return [`${ok ? 'ok' : 'NOT OK'}, proved until ${provedUntil}: ${compared}`, ...lines].join('\n').slice(0, 8_000);
}

import { setCurrentDetails } from '@temporalio/workflow';

import type { ReconcileOutcome } from '../activities/types.js';
import { quick, steady, sweep } from './activities.js';

export interface ReconcileInput {
  /** Over all that the tables owe, not only over the last days. */
  readonly full: boolean;
}

/** Compares lake and manifests, and has backfills load what is missing for too long. */
export async function reconcile(input: ReconcileInput): Promise<ReconcileOutcome> {
  const outcome = await steady.compare.executeWithOptions({ summary: 'compare the lake with the manifests' }, [input]);
  for (const { table, objects, range } of outcome.gaps) {
    const summary = `${table} is missing ${objects} objects: start its backfill`;
    await quick.handOver.executeWithOptions({ summary }, [{ table, range }]);
  }
  await sweep().catch(() => undefined);
  const { lake, events, underWay } = outcome.objects;
  setCurrentDetails(
    `${outcome.ok ? 'ok' : 'NOT OK'}, proved until ${outcome.provedUntil}: ${lake} objects of ${events} events, ${underWay} under way`,
  );
  return outcome;
}

import { ApplicationFailure, CancelledFailure } from '@temporalio/common';

import type { WorkerActivities } from '../activities/types.js';
import type { ReconcileReport } from '../reconcile/report.js';
import type { IngestRun } from '../starter/source-poller.js';
import type { Figures } from './figures.js';

type Activity = (input: never) => Promise<unknown>;

/** Counts each attempt that fails, by what our own failure says it is. */
export function countingFailures<Activities extends object>(activities: Activities, figures: Figures): Activities {
  const counting = Object.entries(activities as Record<string, Activity>).map(([activity, run]) => [
    activity,
    async (input: never) => {
      try {
        return await run(input);
      } catch (error) {
        figures.activityFailures.add(1, { activity, error: codeOf(error) });
        throw error;
      }
    },
  ]);
  return Object.fromEntries(counting) as Activities;
}

export function measuredActivities(activities: WorkerActivities, figures: Figures): WorkerActivities {
  return countingFailures(
    {
      ...activities,
      async load(input) {
        const result = await activities.load(input);
        const { table } = input;
        figures.loadedRows.add(result.rows, { table });
        figures.rejectedEvents.add(result.rejected, { table });
        figures.duplicateEvents.add(result.duplicates, { table });
        return result;
      },
      async handOver(input) {
        await activities.handOver(input);
        figures.handOvers.add(1, { table: input.table });
      },
    },
    figures,
  );
}

/** Counts a batch once: it runs again after any end but `stored`, and never after that. */
export function measuredIngest(ingest: IngestRun, figures: Figures): IngestRun {
  return async (batch) => {
    const end = await ingest(batch);
    if (end === 'stored') {
      const { source, events, bytes } = batch;
      figures.storedEvents.add(events, { source });
      figures.batchEvents.record(events, { source });
      figures.batchBytes.record(bytes, { source });
    }
    return end;
  };
}

export function reconcileFigures({ ok, provedUntil, tables }: ReconcileReport, figures: Figures): void {
  figures.reconcileOk.set(ok ? 1 : 0);
  figures.provedUntil.set(Date.parse(provedUntil) / 1_000);
  figures.reconcileEnded.set(Date.now() / 1_000);
  for (const [table, { rows, rejected, problem }] of Object.entries(tables)) {
    // A table that the warehouse does not have is not one of no rows.
    figures.tableRows.set(problem === undefined ? rows : NaN, { table });
    figures.tableRejections.set(problem === undefined ? rejected : NaN, { table });
  }
}

/** The types that `withTypedFailures` gives are few. No other name is taken: a class of the user's may be named for an event. */
function codeOf(error: unknown): string {
  if (error instanceof CancelledFailure) return 'Cancelled';
  const type = error instanceof ApplicationFailure ? error.type : undefined;
  return typeof type === 'string' && /^[A-Za-z]{1,40}$/.test(type) ? type : 'Error';
}

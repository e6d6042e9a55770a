import { workflowId } from '../names.js';
import { startWithAttributes } from '../search-attributes.js';
import type { backfill } from '../workflows/backfill.js';
import { withHeartbeat } from './heartbeat.js';
import type { Dependencies } from './index.js';
import type { BatchRange, WorkerActivities } from './types.js';

/** One backfill runs a table: whoever finds a gap widens it, and starts it where it does not run. */
export function createHandOver({ settings, temporal, taskQueue }: Dependencies): WorkerActivities['handOver'] {
  return ({ table, range }) =>
    withHeartbeat(() =>
      startWithAttributes({ pipeline: settings.pipeline, tables: [table] }, async (attributes) => {
        await temporal.workflow.signalWithStart<typeof backfill, [BatchRange]>('backfill', {
          workflowId: workflowId.backfill(settings.pipeline, table),
          taskQueue,
          args: [{ table }],
          signal: 'widen',
          signalArgs: [range],
          staticSummary: `load what ${table} is missing`,
          priority: { priorityKey: 4 },
          ...(attributes && { typedSearchAttributes: attributes }),
        });
      }),
    );
}

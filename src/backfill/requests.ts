import { WorkflowNotFoundError, type Client } from '@temporalio/client';

import { workflowId } from '../names.js';
import { startWithAttributes } from '../search-attributes.js';
import type { BackfillAsk } from '../workflows/backfill-state.js';
import type { backfill } from '../workflows/backfill.js';

/** Where a pipeline's backfills run. */
export interface BackfillPlace {
  readonly client: Client;
  readonly pipeline: string;
  readonly taskQueue: string;
}

/** One backfill runs a table: whoever wants something of it widens the one that runs, or starts it. */
export async function askBackfill(place: BackfillPlace, table: string, ask: BackfillAsk): Promise<void> {
  await signalWithStart(place, table, 'widen', ask);
}

/** Holds up the table's backfill, also one that is started later: there is one from now on, paused. */
export async function pauseBackfill(place: BackfillPlace, table: string): Promise<void> {
  await signalWithStart(place, table, 'pause');
}

/** false: none runs. */
export async function signalBackfill(
  { client, pipeline }: BackfillPlace,
  table: string,
  signal: 'resume' | 'cancel',
  ...args: unknown[]
): Promise<boolean> {
  try {
    await client.workflow.getHandle(workflowId.backfill(pipeline, table)).signal(signal, ...args);
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

async function signalWithStart(
  { client, pipeline, taskQueue }: BackfillPlace,
  table: string,
  signal: 'widen' | 'pause',
  ...signalArgs: unknown[]
): Promise<void> {
  await startWithAttributes({ pipeline, tables: [table] }, async (attributes) => {
    await client.workflow.signalWithStart<typeof backfill, unknown[]>('backfill', {
      workflowId: workflowId.backfill(pipeline, table),
      taskQueue,
      args: [{ table }],
      signal,
      signalArgs,
      staticSummary: `load what ${table} is missing`,
      priority: { priorityKey: 4 },
      ...(attributes && { typedSearchAttributes: attributes }),
    });
  });
}

import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy, type Client } from '@temporalio/client';

import { counted, megabytes } from '../amounts.js';
import type { Settings } from '../config/settings.js';
import { newId, timeOfId } from '../ids.js';
import { hourPrefix } from '../keys.js';
import { tablesNotKnown, workflowId } from '../names.js';
import { startWithAttributes } from '../search-attributes.js';
import type { ingestBatch, loadBatch } from '../workflows/index.js';
import type { LoadRun } from './load-poller.js';
import type { IngestRun } from './source-poller.js';

export interface StarterContext {
  readonly client: Client;
  readonly settings: Settings;
  /** The workers' task queue. */
  readonly taskQueue: string;
  /** The task queue of this process, where its held batches are. */
  readonly poller: string;
}

export function ingestRun({ client, settings, taskQueue, poller }: StarterContext): IngestRun {
  const { pipeline, leaseMs } = settings;
  return async ({ source, batch, events, bytes }) => {
    const to = hourPrefix(source, timeOfId(batch)!);
    const handle = await startWithAttributes({ pipeline, source }, (attributes) =>
      client.workflow.start<typeof ingestBatch>('ingestBatch', {
        workflowId: workflowId.ingest(pipeline, source, batch),
        taskQueue,
        args: [{ source, batch, events, bytes, to, poller, leaseMs }],
        // A run still going is joined; one that ended without `stored` runs again.
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        staticSummary: `${counted(events, 'event')}, ${megabytes(bytes)} of ${source} → ${to}`,
        ...(attributes && { typedSearchAttributes: attributes }),
      }),
    );
    return handle.result();
  };
}

export function loadRun({ client, settings, taskQueue }: StarterContext): LoadRun {
  const { pipeline, patienceMs } = settings;
  return async (objects) => {
    const events = objects.reduce((sum, object) => sum + object.events, 0);
    const sources = new Set(objects.map(({ source }) => source));
    const [source] = sources.size === 1 ? sources : [];
    const handle = await startWithAttributes(
      { pipeline, ...(source !== undefined && { source }), tables: tablesNotKnown },
      (attributes) =>
        client.workflow.start<typeof loadBatch>('loadBatch', {
          workflowId: workflowId.load(pipeline, newId()),
          taskQueue,
          args: [{ objects, patienceMs }],
          staticSummary: `${counted(events, 'event')} of ${counted(objects.length, 'lake object')} → the tables`,
          ...(attributes && { typedSearchAttributes: attributes }),
        }),
    );
    return handle.result();
  };
}

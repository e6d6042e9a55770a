import { setTimeout as sleep } from 'node:timers/promises';

import {
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  WorkflowIdConflictPolicy,
  type Client,
} from '@temporalio/client';

import type { Settings } from '../config/settings.js';
import { logged, type Logger } from '../log.js';
import { scheduleId, workflowId } from '../names.js';
import type { reconcile } from '../workflows/index.js';

const lookMs = 60_000;

/** Makes the reconcile schedule now and looks after it: whoever loses Temporal's database gets it back. */
export async function keepSchedule(
  client: Client,
  settings: Settings,
  taskQueue: string,
  stop: AbortSignal,
  log: Logger,
): Promise<void> {
  const every = Math.min(lookMs, settings.reconcileEveryMs);
  while (!stop.aborted) {
    try {
      await makeSchedule(client, settings, taskQueue);
    } catch (error) {
      log.warn(logged(error), 'the reconcile schedule could not be made; tried again');
    }
    await sleep(every, undefined, { signal: stop }).catch(() => undefined);
  }
}

async function makeSchedule(client: Client, settings: Settings, taskQueue: string): Promise<void> {
  const { pipeline, reconcileEveryMs } = settings;
  const spec = { intervals: [{ every: reconcileEveryMs }] };
  const action = {
    type: 'startWorkflow' as const,
    workflowType: 'reconcile',
    workflowId: workflowId.reconcile(pipeline),
    taskQueue,
    args: [{ full: false }],
    staticSummary: 'lake and manifests, over the last days',
  };
  const handle = client.schedule.getHandle(scheduleId(pipeline));
  try {
    const current = await handle.describe();
    const [interval] = current.spec.intervals ?? [];
    if (current.action.taskQueue === taskQueue && interval?.every === reconcileEveryMs) return;
    await handle.update((previous) => ({ ...previous, spec, action }));
    return;
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
  // This Temporal may know nothing of what was under way, however long ago.
  await client.workflow.start<typeof reconcile>('reconcile', {
    workflowId: `${workflowId.reconcile(pipeline)}/start`,
    taskQueue,
    args: [{ full: true }],
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    staticSummary: 'all that the tables owe, since the schedule had to be made',
  });
  await client.schedule.create({
    scheduleId: scheduleId(pipeline),
    spec,
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: reconcileEveryMs },
    action,
  });
}

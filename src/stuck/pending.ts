import type { temporal } from '@temporalio/proto';

import type { Stuck } from './report.js';

type Description = temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse;
type Activity = temporal.api.workflow.v1.IPendingActivityInfo;
type WorkflowTask = temporal.api.workflow.v1.IPendingWorkflowTaskInfo;
type Failure = temporal.api.failure.v1.IFailure;
type Timestamp = { readonly seconds?: unknown; readonly nanos?: number | null } | null | undefined;

/** What the server says of one thing that is stuck; its summary, table and beginning are in the history. */
export type Pending = Omit<Stuck, 'workflowId' | 'runId' | 'table' | 'command'>;

/** A worker takes what there is to do within milliseconds; a busy one within this. */
const noWorkerMs = 30_000;

/** What of a running workflow does not go on. */
export function pendingOf(description: Description, now: number): Pending[] {
  const task = description.pendingWorkflowTask;
  const activities = (description.pendingActivities ?? []).flatMap((activity) => ofActivity(activity, now) ?? []);
  return [...((task && ofWorkflowTask(task, now)) ?? []), ...activities];
}

function ofActivity(pending: Activity, now: number): Pending | undefined {
  const { activityId, activityType, attempt, state, paused, pauseInfo, scheduledTime, lastFailure } = pending;
  const common = {
    activity: { id: activityId ?? '', type: activityType?.name ?? '' },
    attempt: attempt ?? 1,
    ...(lastFailure && { error: errorOf(lastFailure) }),
  };
  if (paused === true) return { state: 'paused', ...common, ...since(pauseInfo?.pauseTime) };
  if (common.attempt > 1) {
    const nextAttemptAt = timeOf(pending.nextAttemptScheduleTime);
    return { state: 'failing', ...common, ...(nextAttemptAt !== undefined && { nextAttemptAt }) };
  }
  const scheduled = isScheduled(state, 'PENDING_ACTIVITY_STATE_SCHEDULED', 1);
  return scheduled && isOld(scheduledTime, now)
    ? { state: 'no worker', ...common, ...since(scheduledTime) }
    : undefined;
}

function ofWorkflowTask(task: WorkflowTask, now: number): Pending[] {
  const attempt = task.attempt ?? 1;
  if (attempt > 1) return [{ state: 'failing', attempt, ...since(task.originalScheduledTime) }];
  const scheduled = isScheduled(task.state, 'PENDING_WORKFLOW_TASK_STATE_SCHEDULED', 1);
  if (!scheduled || !isOld(task.scheduledTime, now)) return [];
  return [{ state: 'no worker', attempt, ...since(task.scheduledTime) }];
}

/** A native connection gives the names of enumerations, grpc-js their numbers. */
function isScheduled(state: unknown, name: string, value: number): boolean {
  return state === name || state === value;
}

function isOld(scheduled: Timestamp, now: number): boolean {
  const time = timeOf(scheduled);
  return time !== undefined && now - Date.parse(time) > noWorkerMs;
}

function since(timestamp: Timestamp): { since?: string } {
  const time = timeOf(timestamp);
  return time === undefined ? {} : { since: time };
}

/** ISO 8601. */
export function timeOf(timestamp: Timestamp): string | undefined {
  if (timestamp?.seconds === undefined || timestamp.seconds === null) return undefined;
  return new Date(Number(timestamp.seconds) * 1_000 + (timestamp.nanos ?? 0) / 1e6).toISOString();
}

/** A timeout says nothing by itself: what the attempt before it failed with is beneath. */
export function errorOf(failure: Failure): { type?: string; message: string } {
  const { applicationFailureInfo, cause } = failure;
  const message = [failure.message, cause?.message].filter(
    (text) => text !== undefined && text !== null && text !== '',
  );
  const type = applicationFailureInfo?.type ?? undefined;
  return { ...(type !== undefined && type !== '' && { type }), message: message.join(': ') };
}

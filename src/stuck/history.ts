import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';

import { errorOf, timeOf, type Pending } from './pending.js';
import type { Stuck } from './report.js';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** What is pending was scheduled lately: a workflow that waits for it makes no other events than signals. */
const mostEvents = 1_000;

/**
 * What the server tells in the history alone: an activity's summary and table and when it was scheduled first, and what a
 * workflow's own task failed with. `events` come newest first; what is found in none of the last thousand is left out.
 */
export async function withHistory(
  pending: readonly Pending[],
  events: AsyncIterable<HistoryEvent>,
): Promise<(Pending & Pick<Stuck, 'table'>)[]> {
  const wanted = new Set(pending.map(keyOf));
  const found = new Map<string, HistoryEvent>();
  let read = 0;
  for await (const event of events) {
    const key = keyOfEvent(event);
    if (key !== undefined && wanted.delete(key)) found.set(key, event);
    if (wanted.size === 0 || ++read === mostEvents) break;
  }
  return pending.map((one) => {
    const event = found.get(keyOf(one));
    return event === undefined ? one : completed(one, event);
  });
}

const workflowTask = 'workflow task';

/** A workflow may have ended a task before and used its activity's id again; the newest event is the one that counts. */
function keyOf({ activity }: Pending): string {
  return activity === undefined ? workflowTask : `activity ${activity.id}`;
}

function keyOfEvent(event: HistoryEvent): string | undefined {
  const scheduled = event.activityTaskScheduledEventAttributes;
  if (scheduled) return `activity ${scheduled.activityId ?? ''}`;
  return event.workflowTaskFailedEventAttributes ? workflowTask : undefined;
}

function completed(one: Pending, event: HistoryEvent): Pending & Pick<Stuck, 'table'> {
  const at = timeOf(event.eventTime);
  const since = one.state === 'failing' && at !== undefined ? { since: at } : {};
  const failure = event.workflowTaskFailedEventAttributes?.failure;
  if (one.activity === undefined) return { ...one, ...since, ...(failure && { error: errorOf(failure) }) };
  const summary = valueOf(event.userMetadata?.summary);
  const table = tableOf(valueOf(event.activityTaskScheduledEventAttributes?.input?.payloads?.[0]));
  return {
    ...one,
    ...since,
    activity: { ...one.activity, ...(typeof summary === 'string' && { summary }) },
    ...(table !== undefined && { table }),
  };
}

/** Of what an activity is given (`WorkerActivities`), the one table that it is about. */
function tableOf(input: unknown): string | undefined {
  const { table, planned, tables } = (input ?? {}) as {
    table?: unknown;
    planned?: { table?: unknown };
    tables?: unknown;
  };
  const one = Array.isArray(tables) && tables.length === 1 ? (tables[0] as unknown) : undefined;
  return [table, planned?.table, one].find((name) => typeof name === 'string');
}

/** undefined where it is not there, or not JSON. */
function valueOf(payload: Payload | null | undefined): unknown {
  if (payload === null || payload === undefined) return undefined;
  try {
    return defaultPayloadConverter.fromPayload<unknown>(payload);
  } catch {
    return undefined;
  }
}

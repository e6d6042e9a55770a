import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import type { Client, WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';

/** What Temporal shows of a workflow and of what it called, as its UI does. */
function textOf(payload: Payload | null | undefined): string | undefined {
  return payload === null || payload === undefined ? undefined : defaultPayloadConverter.fromPayload<string>(payload);
}

/** The summaries of the activities that the workflow called, in order. */
export async function activitySummaries(handle: WorkflowHandle): Promise<string[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap((event) => {
    if (!event.activityTaskScheduledEventAttributes) return [];
    return `${event.activityTaskScheduledEventAttributes.activityType?.name}: ${textOf(event.userMetadata?.summary)}`;
  });
}

/** The current details, which a worker answers for. */
export async function currentDetails(handle: WorkflowHandle): Promise<string> {
  const { currentDetails } = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return currentDetails ?? '';
}

export function pendingOf({ raw }: WorkflowExecutionDescription): {
  activity: string;
  attempt: number;
  type: string;
  error: string;
}[] {
  return (raw.pendingActivities ?? []).map(({ activityType, attempt, lastFailure }) => ({
    activity: activityType?.name ?? '',
    attempt: attempt ?? 0,
    type: lastFailure?.applicationFailureInfo?.type ?? '',
    error: lastFailure?.message ?? '',
  }));
}

/** Ids of the workflows that a query finds, newest first. */
export async function found(client: Client, query: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
  return ids;
}

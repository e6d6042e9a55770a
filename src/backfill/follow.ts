import { setTimeout as sleep } from 'node:timers/promises';

import { WorkflowNotFoundError, type WorkflowExecutionDescription, type WorkflowHandle } from '@temporalio/client';

import { describeError } from '../errors.js';
import { workflowId } from '../names.js';
import type { BackfillState } from '../workflows/backfill-state.js';
import type { BackfillPlace } from './requests.js';

export interface Followed {
  /** undefined where no worker answered yet. */
  readonly state?: BackfillState;
  /** What its work fails with just now. */
  readonly error?: string;
  /** How it ended, by Temporal's word: `COMPLETED`. */
  readonly ended?: string;
}

const everyMs = 500;
const queryMs = 5_000;

/** A backfill's state again and again, over the runs in which it continues, until it has ended or the signal is aborted. */
export async function* follow(
  { client, pipeline }: BackfillPlace,
  table: string,
  signal: AbortSignal,
): AsyncGenerator<Followed> {
  // Without its run: it is followed when it continues as new.
  const handle = client.workflow.getHandle(workflowId.backfill(pipeline, table));
  for (let looks = 0; !signal.aborted; looks++) {
    if (looks > 0) await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    const described = await describeOf(handle, client);
    if (described === undefined) {
      yield { error: 'Temporal does not answer' };
      continue;
    }
    const { status, raw } = described;
    const failing = (raw.pendingActivities ?? []).find(({ lastFailure }) => lastFailure?.message);
    const state = await stateOf(handle, client);
    const ended = status.name === 'RUNNING' || status.name === 'CONTINUED_AS_NEW' ? undefined : status.name;
    const error = failing?.lastFailure?.message ?? (state === undefined ? 'no worker answers' : undefined);
    yield {
      ...(state && { state }),
      ...(ended && { ended }),
      ...(error && { error: describeError(new Error(error)) }),
    };
    if (ended !== undefined) return;
  }
}

/** undefined where Temporal does not answer just now. */
async function describeOf(
  handle: WorkflowHandle,
  client: BackfillPlace['client'],
): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await client.withDeadline(Date.now() + queryMs, () => handle.describe());
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw error;
    return undefined;
  }
}

/** It is the workers that answer a query. */
async function stateOf(handle: WorkflowHandle, client: BackfillPlace['client']): Promise<BackfillState | undefined> {
  try {
    return await client.withDeadline(Date.now() + queryMs, () => handle.query<BackfillState>('progress'));
  } catch {
    return undefined;
  }
}

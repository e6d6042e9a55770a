import { ActivityFailure, isCancellation, proxyActivities, setCurrentDetails } from '@temporalio/workflow';

import type { PollerActivities } from '../activities/types.js';
import type { Reference } from '../references.js';
import { forever, heartbeatTimeout, quick } from './activities.js';

export interface IngestInput {
  readonly source: string;
  readonly batch: string;
  readonly events: number;
  /** The task queue of the poller process that holds the batch. */
  readonly poller: string;
  readonly leaseMs: number;
}

/**
 * One batch into the lake, and its reference on the secondary queue. `stored`: both are durable, the poller may
 * acknowledge. `returned`: there is no object, the messages come again.
 */
export async function ingestBatch({
  source,
  batch,
  events,
  poller,
  leaseMs,
}: IngestInput): Promise<'stored' | 'returned'> {
  const { persist } = proxyActivities<PollerActivities>({
    taskQueue: poller,
    // Only the process that holds the bytes can do it: once its lease is over twice, nobody will.
    scheduleToStartTimeout: 2 * leaseMs,
    startToCloseTimeout: Math.max(2 * leaseMs, 60_000),
    heartbeatTimeout,
    retry: forever,
  });

  let reference: Reference | undefined;
  try {
    const persisted = await persist.executeWithOptions({ summary: `persist ${events} events of ${source}` }, [
      { source, batch },
    ]);
    if (persisted !== 'returned') reference = persisted;
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
  }
  // The object may be there although its poller is gone: then it must ring.
  const result = await quick.relay.executeWithOptions(
    { summary: `ring for ${reference?.key ?? 'the object, if it is there'}` },
    [{ source, batch, ...(reference && { reference }) }],
  );
  setCurrentDetails(
    result === 'stored'
      ? `${events} events are in ${reference?.key ?? 'the lake'}`
      : 'the batch was not stored; its messages are still on the queue and come again',
  );
  return result;
}

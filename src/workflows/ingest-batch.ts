import { ActivityFailure, isCancellation, proxyActivities, setCurrentDetails } from '@temporalio/workflow';

import type { PollerActivities } from '../activities/types.js';
import { counted, megabytes } from '../amounts.js';
import type { Reference } from '../references.js';
import { forever, heartbeatTimeout, quick } from './activities.js';

export interface IngestInput {
  readonly source: string;
  readonly batch: string;
  readonly events: number;
  /** As envelopes, before compression. */
  readonly bytes: number;
  /** Where in the lake its object goes, for people: what every object of its source and hour begins with. */
  readonly to: string;
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
  bytes,
  to,
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

  const what = `${counted(events, 'event')}, ${megabytes(bytes)}`;
  let reference: Reference | undefined;
  setCurrentDetails(`${what} of ${source}: being written to ${to}; the source queue has them until then`);
  try {
    const persisted = await persist.executeWithOptions({ summary: `persist ${what} → ${to}` }, [{ source, batch }]);
    if (persisted !== 'returned') reference = persisted;
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
  }
  // The object may be there although its poller is gone: then it must ring.
  const object = reference?.key ?? `${to}${batch}_…`;
  setCurrentDetails(
    reference === undefined
      ? `${what} of ${source}: nobody has said that they are stored; looking for ${object}`
      : `${what} of ${source} are in ${object}; the secondary queue is to be told`,
  );
  const result = await quick.relay.executeWithOptions(
    { summary: reference === undefined ? `look for ${object}, and ring if it is there` : `ring for ${object}` },
    [{ source, batch, ...(reference && { reference }) }],
  );
  setCurrentDetails(
    result === 'stored'
      ? `${what} of ${source} are in ${object}, and the secondary queue knows`
      : `${what} of ${source} were not stored; their messages are still on the queue and come again`,
  );
  return result;
}

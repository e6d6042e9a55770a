import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';

import type { WorkerActivities } from '../activities/types.js';

/** A store that is down is asked again for as long as it takes: 0.5 s, 1 s, 2 s … 20 s. */
export const forever = { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '20s' } as const;

/** A dead worker's activity is noticed after this; activities beat every 3 s. */
export const heartbeatTimeout = '15s';

/** Takes as long as the lake is large; it is the beats that tell it from a dead worker's. */
export const steady = proxyActivities<WorkerActivities>({
  startToCloseTimeout: '1d',
  heartbeatTimeout,
  retry: forever,
});

/** Without a heartbeat a worker that dies would hold up a batch, and one of its poller's few places, for a minute. */
export const quick = proxyActivities<WorkerActivities>({
  startToCloseTimeout: '60s',
  heartbeatTimeout,
  retry: forever,
});

/** Losing this costs disk until the next sweep, so it is tried once, where it costs no history. */
export const { discard, sweep } = proxyLocalActivities<WorkerActivities>({
  startToCloseTimeout: '30s',
  retry: { maximumAttempts: 1 },
});

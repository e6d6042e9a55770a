import { withTypedFailures } from '../activities/failures.js';
import { withHeartbeat } from '../activities/heartbeat.js';
import type { PollerActivities } from '../activities/types.js';
import { aborted } from '../signals.js';
import type { Holding } from './holding.js';

/** What runs in the process that holds the batches. An attempt that was given up frees its slot, whatever the lake does. */
export function createPollerActivities(holding: Holding): PollerActivities {
  return withTypedFailures<PollerActivities>({
    persist: (batch) =>
      withHeartbeat((signal) =>
        Promise.race([
          holding.persist(batch),
          aborted(signal).then(() => {
            throw signal.reason;
          }),
        ]),
      ),
  });
}

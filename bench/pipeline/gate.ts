import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Provider, Queue } from 'catchment';

/** While this file lies in the data folder, the source hands messages out. */
export const gateFile = 'gate-open';

/** A request that is under way when the gate is shut ends after this. */
export const longestRequestMs = 1_000;

/**
 * The source behind a gate: pollers are up and warm, and all messages are on the queue, before the clock starts with the
 * opening of the gate.
 */
export function gated(provider: Provider<Queue>, file = gateFile): Provider<Queue> {
  return {
    ...provider,
    open(place) {
      const queue = provider.open(place);
      const receive = queue.receive.bind(queue);
      const gate = join(place.dataDir, file);
      return Object.assign(queue, {
        async receive(want: Parameters<Queue['receive']>[0]) {
          while (!existsSync(gate)) {
            if (want.signal.aborted) return [];
            await sleep(20);
          }
          return receive({ ...want, waitMs: Math.min(want.waitMs, longestRequestMs) });
        },
      });
    },
  };
}

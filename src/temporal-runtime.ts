import { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger, Runtime } from '@temporalio/worker';

import type { Logger } from './log.js';

/**
 * Before the first connection of a process. Temporal's own signal handlers would stop the workers at the first signal:
 * ours drain, and need them until the end.
 */
export function installTemporalRuntime(log: Logger): void {
  Runtime.install({
    shutdownSignals: [],
    // The native core writes its own lines to the terminal unless they are forwarded; its warnings are of retries alone.
    telemetryOptions: { logging: { filter: 'ERROR', forward: {} } },
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      const { workflowId, activityType, error } = (meta ?? {}) as Record<string, unknown>;
      // Only failures of our own making have a message that may be shown.
      const why = error instanceof ApplicationFailure ? { type: error.type, error: error.message } : {};
      const what = {
        ...(typeof workflowId === 'string' && { workflowId }),
        ...(typeof activityType === 'string' && { activityType }),
      };
      log[level === 'ERROR' ? 'error' : 'warn']({ ...what, ...why }, message);
    }),
  });
}

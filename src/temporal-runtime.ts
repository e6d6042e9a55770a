import { DefaultLogger, Runtime } from '@temporalio/worker';

import type { Logger } from './log.js';

/**
 * Before the first connection of a process. Temporal's own signal handlers would stop the workers at the first signal:
 * ours drain, and need them until the end.
 */
export function installTemporalRuntime(log: Logger): void {
  Runtime.install({
    shutdownSignals: [],
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      const { error, ...names } = (meta ?? {}) as { error?: unknown } & Record<string, unknown>;
      const named = Object.fromEntries(Object.entries(names).filter(([, value]) => typeof value === 'string'));
      const why = error instanceof Error ? { failure: error.name } : {};
      log[level === 'ERROR' ? 'error' : 'warn']({ ...named, ...why }, message);
    }),
  });
}

import { setTimeout as sleep } from 'node:timers/promises';

import { Worker, type WorkerOptions } from '@temporalio/worker';

import { logged, type Logger } from './log.js';
import { aborted } from './signals.js';

/**
 * Runs a Temporal worker until `stop` is aborted and it has drained. One that fails is made anew: a server that comes
 * back with an empty database does not know the namespace for a moment, and that must end nothing.
 */
export async function runTemporalWorker(
  options: WorkerOptions,
  drainMs: number,
  stop: AbortSignal,
  log: Logger,
): Promise<void> {
  // Both set, or an activity that ignores its signal would block the exit.
  const shutdown = { shutdownGraceTime: drainMs * 0.6, shutdownForceTime: drainMs };
  while (!stop.aborted) {
    try {
      const worker = await Worker.create({ ...shutdown, stickyQueueScheduleToStartTimeout: '2s', ...options });
      await worker.runUntil(aborted(stop));
    } catch (error) {
      log.warn(logged(error), 'the Temporal worker ended; it is made anew');
      await sleep(500, undefined, { signal: stop }).catch(() => undefined);
    }
  }
}

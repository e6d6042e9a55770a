import type { Command } from 'commander';

import { registerRunning } from '../running.js';

export function registerWorker(program: Command): void {
  const description = 'run workflows and activities until it is stopped: loads, backfills, reconcile';
  registerRunning(program, 'worker', description, async ({ supervised, ...how }) => {
    const { runWorker } = await import('../../worker/run.js');
    await runWorker({ ...how, migrate: supervised });
  });
}

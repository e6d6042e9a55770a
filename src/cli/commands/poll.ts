import type { Command } from 'commander';

import { registerRunning } from '../running.js';

export function registerPoll(program: Command): void {
  registerRunning(program, 'poll', 'take messages off the queues until it is stopped', async (how) => {
    const { runPoller } = await import('../../starter/run.js');
    await runPoller(how);
  });
}

import { queueCalls } from './queue-calls.js';
import { queueContent } from './queue-content.js';
import { queueHarness, type QueueUnderTest } from './queue-harness.js';
import { queueLeases } from './queue-leases.js';

/** What every queue must do. Approximate counts and any order are allowed, so nothing here relies on them. */
export function queueContract(queue: QueueUnderTest): void {
  describe(queue.name, () => {
    const harness = queueHarness(queue);
    queueContent(harness);
    queueLeases(harness);
    queueCalls(harness);
  });
}

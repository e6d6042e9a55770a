import { randomUUID } from 'node:crypto';

import { pubsub } from '../../src/providers/gcp/pubsub.js';
import type { Queue } from '../../src/providers/queue.js';
import { pubsubAdmin, pubsubEndpoint } from '../standins/gcp.js';
import { needs } from './queue-harness.js';
import { queueContract } from './queue.js';

/** Opens subscriptions of this run alone, made by `provision`. */
function onService(exactlyOnce: boolean): (which: string) => Promise<Queue> {
  const run = `run-${randomUUID()}`;
  return async (which) => {
    const [endpoint, monitoringEndpoint] = [await pubsubEndpoint(), await pubsubAdmin()];
    const name = `${run}-${which}`;
    const options = { projectId: 'contract', endpoint, monitoringEndpoint, exactlyOnce };
    const provider = pubsub({ topic: name, subscription: name, ...options });
    const queue = provider.open({ pipeline: 'test', dataDir: 'unused', part: which });
    await queue.provision!('apply', needs);
    return queue;
  };
}

const uncounted = {
  tests: ['the backlog sees what is leased'],
  reason: 'Cloud Monitoring counts what is leased as waiting',
};

queueContract({
  name: 'pubsub() on the stand-in',
  open: onService(false),
  minLeaseMs: 1_000,
  skip: [
    uncounted,
    {
      tests: [
        'the receipt of an older delivery acknowledges nothing',
        'extended by 0, a message comes again at once',
        'one receipt that no longer holds does not spoil the others of its call',
      ],
      reason: 'Pub/Sub answers OK to a receipt that no longer holds, and does nothing; the next suite sees it expire',
    },
  ],
});
queueContract({
  name: 'pubsub() on the stand-in, exactly once',
  open: onService(true),
  minLeaseMs: 1_000,
  skip: [uncounted],
});

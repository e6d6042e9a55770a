import { randomUUID } from 'node:crypto';

import { sqs } from '../../src/providers/aws/sqs.js';
import type { Queue } from '../../src/providers/queue.js';
import { sqsEndpoint, sqsmemEndpoint } from '../standins/aws.js';
import { needs } from './queue-harness.js';
import { queueContract } from './queue.js';

/** Opens queues of this run alone, made by `provision`. */
function onService(endpoint: () => Promise<string>): (which: string) => Promise<Queue> {
  const run = randomUUID();
  return async (which) => {
    const queueUrl = `${await endpoint()}/000000000000/${run}-${which}`;
    const queue = sqs({ queueUrl }).open({ pipeline: 'test', dataDir: 'unused', part: which });
    await queue.provision!('apply', needs);
    return queue;
  };
}

queueContract({ name: 'sqs() on ElasticMQ', open: onService(sqsEndpoint), minLeaseMs: 1_000 });
queueContract({ name: 'sqs() on sqsmem', open: onService(sqsmemEndpoint), minLeaseMs: 1_000 });

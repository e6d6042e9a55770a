import type { QueueAttributeName } from '@aws-sdk/client-sqs';

import { describeDuration } from '../../durations.js';
import { CatchmentError } from '../../errors.js';
import type { Provisioned } from '../provision.js';
import {
  largestMessageBytes,
  longestRetentionSeconds,
  mostReceives,
  numberOf,
  redriveOf,
  type Attributes,
} from './sqs-attributes.js';
import type { SqsCalls } from './sqs-calls.js';

type How = 'plan' | 'apply';

const wanted: Attributes = {
  MessageRetentionPeriod: String(longestRetentionSeconds),
  MaximumMessageSize: String(largestMessageBytes),
};

/** The queue, and its dead letters' before it, made, or changed where they are not as they should be. */
export async function provisionSqs(
  calls: SqsCalls,
  deadLetters: SqsCalls | undefined,
  how: How,
): Promise<readonly Provisioned[]> {
  if (deadLetters === undefined) return provisionQueue(calls, wanted, how);
  const done = await provisionQueue(deadLetters, wanted, how);
  // In a plan the queue may not be there yet: its name says enough.
  const target = (await deadLetters.find())?.QueueArn ?? deadLetters.queue.name;
  const redrive = JSON.stringify({ deadLetterTargetArn: target, maxReceiveCount: mostReceives });
  return [...done, ...(await provisionQueue(calls, { ...wanted, RedrivePolicy: redrive }, how))];
}

async function provisionQueue(calls: SqsCalls, attributes: Attributes, how: How): Promise<Provisioned[]> {
  const { queue } = calls;
  const found = await calls.find();
  if (found === undefined) {
    const all = Object.keys(attributes).map((name) => describe(name, attributes));
    if (how === 'apply') await make(calls, attributes);
    return [{ what: `make the SQS queue ${queue.name}: ${all.join(', ')}` }];
  }
  const names = (Object.keys(attributes) as QueueAttributeName[]).filter((name) => differs(name, found, attributes));
  if (names.length === 0) return [];
  const changes: Attributes = Object.fromEntries(names.map((name) => [name, attributes[name]]));
  if (how === 'apply') await calls.set(changes);
  return names.map((name) => ({ what: `SQS queue ${queue.name}: ${describe(name, attributes)}` }));
}

async function make(calls: SqsCalls, attributes: Attributes): Promise<void> {
  const { queue } = calls;
  const made = await calls.create({ ...attributes, ...(queue.fifo && { FifoQueue: 'true' }) });
  // Hosts may differ for one queue; account and name may not.
  if (new URL(made).pathname === new URL(queue.url).pathname) return;
  throw new CatchmentError(
    `the queue that was made is ${made}, and the config names ${queue.url}: correct the account in the config, or use the credentials of that account`,
    { path: queue.url },
  );
}

/** What a queue does not tell of, since it does not keep it, cannot be mended, and would be found again each time. */
function differs(name: QueueAttributeName, found: Attributes, attributes: Attributes): boolean {
  if (name !== 'RedrivePolicy')
    return found[name] !== undefined && numberOf(found, name) !== numberOf(attributes, name);
  const [now, then] = [redriveOf(found), redriveOf(attributes)];
  return now?.deadLetterTargetArn !== then?.deadLetterTargetArn || now?.maxReceiveCount !== then?.maxReceiveCount;
}

function describe(name: string, attributes: Attributes): string {
  if (name === 'MessageRetentionPeriod')
    return `keep messages for ${describeDuration(longestRetentionSeconds * 1_000)}`;
  if (name === 'MaximumMessageSize') return `take messages of ${largestMessageBytes} bytes`;
  const { deadLetterTargetArn, maxReceiveCount } = redriveOf(attributes)!;
  return `send a message to ${deadLetterTargetArn.split(':').at(-1)!} after ${maxReceiveCount} receives`;
}

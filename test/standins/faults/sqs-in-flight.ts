import { setTimeout as sleep } from 'node:timers/promises';

import { sqsError } from './aws-errors.js';
import type { Fault } from './fault.js';
import { askSqs, bodyOf, inputOf, replyWith, type ReceiveInput } from './sqs-json.js';

const counted = 'ApproximateNumberOfMessagesNotVisible';
const waits = 'ReceiveMessageWaitTimeSeconds';

/**
 * SQS's ceiling of messages in flight, which is about 120,000 there for all pollers together. Over it a long poll waits its time
 * and brings nothing, without an error; a short one is answered OverLimit. What is in flight the target itself says, so
 * time-outs and other clients count. As there it is not exact: each poll under way when it is reached may bring up to ten
 * more. A poll that has begun over it waits to its end, also when there is room meanwhile. Counts both kinds.
 */
export function inFlightCap(limit = 1_000): Fault {
  const name = 'inFlightCap';
  const overLimit = sqsError(403, 'OverLimit');
  return {
    name,
    async run(call, around) {
      if (call.operation !== 'ReceiveMessage') return around.next();
      const input = await inputOf<ReceiveInput>(call);
      const { QueueUrl, MaxNumberOfMessages: most = 1 } = input;
      const AttributeNames = [counted, waits];
      const known = await askSqs<{ Attributes: Readonly<Record<string, string>> }>(around, 'GetQueueAttributes', {
        QueueUrl,
        AttributeNames,
      });
      if (known === undefined) return around.next();
      const { Attributes } = known;
      const room = limit - Number(Attributes[counted]);
      if (room > 0) return around.next(bodyOf({ ...input, MaxNumberOfMessages: Math.min(most, room) }));
      const seconds = input.WaitTimeSeconds ?? Number(Attributes[waits] ?? 0);
      if (seconds === 0) return overLimit.run(call, around);
      await sleep(seconds * 1_000, undefined, { signal: call.signal });
      around.happened();
      return replyWith({});
    },
  };
}

import { z } from 'zod';

import { settingsOf } from '../../problems.js';
import { parseQueueUrl, type QueueUrl } from './sqs-url.js';

export interface SqsOptions {
  /**
   * `https://sqs.eu-west-1.amazonaws.com/123456789012/app-events`. Its host is where the queue is reached: that of a VPC
   * endpoint, or of another service with SQS's protocol, does as well.
   */
  readonly queueUrl: string;
  /** Where messages go that were handed out too often (`provision` says how often). Default: they stay where they are. */
  readonly deadLetterUrl?: string;
  /** Default: the one in `queueUrl`, else what the SDK's default chain says. */
  readonly region?: string;
  /**
   * Most messages that one poller holds at once; 100 to 100,000, default 20,000. SQS hands out no more than 120,000 to all
   * pollers of a queue together, and over that answers as if the queue were empty; `check` says how many pollers that makes.
   */
  readonly heldMessages?: number;
}

/** The options, read. */
export interface SqsSettings {
  readonly queue: QueueUrl;
  readonly deadLetters?: QueueUrl;
  readonly region?: string;
  readonly heldMessages: number;
}

const example = "'https://sqs.eu-west-1.amazonaws.com/123456789012/app-events'";

const url = (option: string) =>
  z.unknown().transform((value, context) => {
    const parsed = parseQueueUrl(value);
    if (parsed !== undefined) return parsed;
    context.addIssue(`is no URL of a queue; write ${option}: ${example}`);
    return z.NEVER;
  });

export const sqsSchema = settingsOf(
  {
    queueUrl: url('queueUrl'),
    deadLetterUrl: url('deadLetterUrl').optional(),
    region: z
      .string("is no region; write one such as 'eu-west-1'")
      .regex(/^[a-z0-9-]{1,40}$/, "is no region; write one such as 'eu-west-1'")
      .optional(),
    heldMessages: z
      .int('is no number of messages; write heldMessages: 20_000')
      .min(100, 'is too few for one batch; write at least 100')
      .max(100_000, 'is more than SQS hands out; write at most 100_000')
      .optional(),
  },
  `are no options of SQS; write sqs({ queueUrl: ${example} })`,
)
  .refine(({ queueUrl, deadLetterUrl = queueUrl }) => deadLetterUrl.fifo === queueUrl.fifo, {
    path: ['deadLetterUrl'],
    message:
      'must be a FIFO queue where queueUrl is one, and none where it is none: SQS moves no message between the two',
  })
  .transform(({ queueUrl, deadLetterUrl, region, heldMessages = 20_000 }): SqsSettings => ({
    queue: queueUrl,
    heldMessages,
    ...(deadLetterUrl !== undefined && { deadLetters: deadLetterUrl }),
    ...(region !== undefined && { region }),
  }));

/** What no other part of the pipeline may name, by the option. */
export function addressesOf({ queue, deadLetters }: SqsSettings): Record<string, string> {
  return { queueUrl: queue.address, ...(deadLetters !== undefined && { deadLetterUrl: deadLetters.address }) };
}

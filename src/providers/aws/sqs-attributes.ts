import type { QueueAttributeName } from '@aws-sdk/client-sqs';

/** AWS: SQS developer guide, "Amazon SQS message quotas". */
export const longestRetentionSeconds = 14 * 86_400;
export const largestMessageBytes = 1_048_576;
/** AWS: SQS API reference, `RedrivePolicy`: the most that `maxReceiveCount` can be. */
export const mostReceives = 1_000;
/** AWS: SQS developer guide, "Amazon SQS message quotas": in flight, for all who receive together. */
export const mostInFlight = 120_000;

export type Attributes = Partial<Record<QueueAttributeName, string>>;

export interface Redrive {
  readonly deadLetterTargetArn: string;
  readonly maxReceiveCount: number;
}

/** Where messages go that were handed out too often; undefined: they stay. */
export function redriveOf({ RedrivePolicy }: Attributes): Redrive | undefined {
  if (RedrivePolicy === undefined || RedrivePolicy === '') return undefined;
  const { deadLetterTargetArn, maxReceiveCount } = JSON.parse(RedrivePolicy) as Record<string, unknown>;
  return { deadLetterTargetArn: String(deadLetterTargetArn), maxReceiveCount: Number(maxReceiveCount) };
}

/** Undefined where the queue does not tell: some that speak SQS's protocol drop what they do not keep. */
export function numberOf(attributes: Attributes, name: QueueAttributeName): number | undefined {
  const value = attributes[name];
  return value === undefined || value === '' ? undefined : Number(value);
}

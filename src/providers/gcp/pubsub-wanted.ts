import { describeDuration } from '../../durations.js';
import type { Needs } from '../queue.js';
import type { Subscription } from './pubsub-calls.js';
import type { PubsubSettings } from './pubsub-options.js';

/** Google: Pub/Sub, "Subscription properties": the longest retention, deadlines, and the most delivery attempts. */
const longestRetentionSeconds = 31 * 86_400;
const deadlineSeconds = { least: 10, most: 600 } as const;
export const mostAttempts = 100;

/** One setting of a subscription. */
export interface Setting {
  /** As a mask of fields names it. */
  readonly path: string;
  /** For people: "keep messages for 31 days". */
  readonly what: string;
  readonly value: Partial<Subscription>;
  readonly isMet: (found: Subscription) => boolean;
  /** Given when the subscription is made, and never again. */
  readonly fixed?: true;
}

/** How a subscription must be to keep the pipeline's promises, and how the config asks for it to be. */
export function wantedOf({ ordered, exactlyOnce }: PubsubSettings, { leaseMs }: Needs, deadTopic?: string): Setting[] {
  const lease = Math.min(Math.max(Math.ceil(leaseMs / 1_000), deadlineSeconds.least), deadlineSeconds.most);
  const settings: Setting[] = [
    {
      path: 'message_retention_duration',
      what: `keep messages for ${describeDuration(longestRetentionSeconds * 1_000)}`,
      value: { messageRetentionDuration: { seconds: longestRetentionSeconds } },
      isMet: (found) => retentionSecondsOf(found) >= longestRetentionSeconds,
    },
    {
      path: 'expiration_policy',
      what: 'never expire',
      value: { expirationPolicy: {} },
      isMet: (found) => expiresAfterSeconds(found) === undefined,
    },
    {
      path: 'ack_deadline_seconds',
      what: `hide what is handed out for ${lease} s, as long as a lease`,
      value: { ackDeadlineSeconds: lease },
      isMet: (found) => found.ackDeadlineSeconds === lease,
    },
  ];
  if (deadTopic !== undefined)
    settings.push({
      path: 'dead_letter_policy',
      what: `send a message to ${deadTopic} after ${mostAttempts} deliveries`,
      value: { deadLetterPolicy: { deadLetterTopic: deadTopic, maxDeliveryAttempts: mostAttempts } },
      isMet: ({ deadLetterPolicy }) =>
        deadLetterPolicy?.deadLetterTopic === deadTopic && deadLetterPolicy.maxDeliveryAttempts === mostAttempts,
    });
  if (exactlyOnce)
    settings.push({
      path: 'enable_exactly_once_delivery',
      what: 'deliver exactly once',
      value: { enableExactlyOnceDelivery: true },
      isMet: (found) => found.enableExactlyOnceDelivery === true,
    });
  if (ordered)
    settings.push({
      path: 'enable_message_ordering',
      what: 'deliver a group in order',
      value: { enableMessageOrdering: true },
      isMet: (found) => found.enableMessageOrdering === true,
      fixed: true,
    });
  return settings;
}

export function retentionSecondsOf({ messageRetentionDuration }: Subscription): number {
  return Number(messageRetentionDuration?.seconds ?? 0);
}

/** Without being used; undefined: never. */
export function expiresAfterSeconds({ expirationPolicy }: Subscription): number | undefined {
  // A default of 31 days where nothing was ever said.
  if (expirationPolicy == null) return 31 * 86_400;
  const ttl = Number(expirationPolicy.ttl?.seconds ?? 0);
  return ttl === 0 ? undefined : ttl;
}

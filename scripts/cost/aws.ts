import { eventBytes, secondsAMonth, sends, type Rates } from './rates.js';
import { table } from './table.js';

/** US dollars in us-east-1, without the free tier, of 2026: https://aws.amazon.com/sqs/pricing and https://aws.amazon.com/s3/pricing. */
const price = {
  /** A request of SQS; each 64 KB of what it carries counts as one, and so does a receive that brings nothing. */
  sqsRequest: 0.4 / 1e6,
  s3PutOrList: 0.005 / 1e3,
  s3Get: 0.0004 / 1e3,
  s3GigabyteMonth: 0.023,
} as const;

const chunkBytes = 64 * 1_024;
/** Of a queue on which nothing comes: a long poll each two seconds, and its backlog for the metrics. */
const emptyReceives = 0.5;

/** What SQS and S3 charge a month: the table in docs/aws.md. */
export function awsTable(): string {
  return table(['SQS, one a message', 'SQS, packed', 'S3 requests', 'S3 storage'], (rates) => {
    const { objects, listings, gigabytes } = rates;
    const s3 = (objects + listings) * price.s3PutOrList + objects * price.s3Get;
    return [
      requestsOfSingles(rates) * price.sqsRequest * secondsAMonth,
      requestsOfPacked(rates) * price.sqsRequest * secondsAMonth,
      s3 * secondsAMonth,
      gigabytes * price.s3GigabyteMonth,
    ];
  });
}

/** Each event in its own message, sent ten a request. */
function requestsOfSingles(rates: Rates): number {
  const { events, linger, objects, backlogs } = rates;
  const pause = Math.min(1, linger / 10);
  const receives = Math.max(events / 10, Math.min(events, 1 / pause), emptyReceives);
  // A batch is deleted at once.
  const deletes = Math.max(events / 10, objects);
  return sends(events, 10) + receives + deletes + backlogs + requestsOfReferences(rates);
}

/** Packed by Catchment's own senders. */
function requestsOfPacked(rates: Rates): number {
  const { events, objects, backlogs } = rates;
  const messages = sends(events, chunkBytes / eventBytes);
  const deletes = Math.max(messages / 10, objects);
  return messages + Math.max(messages, emptyReceives) + deletes + backlogs + requestsOfReferences(rates);
}

/** Sent, received and deleted. */
function requestsOfReferences({ objects, backlogs }: Rates): number {
  return 3 * objects + emptyReceives + backlogs;
}

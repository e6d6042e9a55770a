/**
 * What SQS and S3 charge a month for a pipeline, by the requests that Catchment makes: the table in docs/aws.md, which
 * `npm run docs` writes.
 *
 *     node --import jiti/register scripts/aws-cost.ts
 */
import { rhythmOf } from '../src/starter/rhythm.js';

/** US dollars in us-east-1, without the free tier, of 2026: https://aws.amazon.com/sqs/pricing and https://aws.amazon.com/s3/pricing. */
const price = {
  /** A request of SQS; each 64 KB of what it carries counts as one, and so does a receive that brings nothing. */
  sqsRequest: 0.4 / 1e6,
  s3PutOrList: 0.005 / 1e3,
  s3Get: 0.0004 / 1e3,
  s3GigabyteMonth: 0.023,
} as const;

const secondsAMonth = (365.25 * 86_400) / 12;
const eventBytes = 1_024;
/** Of the bodies' bytes, as gzip at level 1 leaves them of JSON with text in it. */
const compressed = 0.25;
const chunkBytes = 64 * 1_024;
const batch = { events: 20_000, bytes: 16e6 } as const;
/** What `reconcile` looks back over (`survive` and a day), and how often. */
const reconcile = { seconds: 4 * 86_400, everySeconds: 3_600, objectsAPage: 1_000 } as const;
/** Of a queue on which nothing comes: a long poll each two seconds, and its backlog for the metrics. */
const emptyReceivesASecond = 0.5;

export interface Cost {
  /** Each event in its own message, sent ten a request. */
  readonly sqsSingle: number;
  /** Packed by Catchment's own senders, a message a second at least. */
  readonly sqsPacked: number;
  readonly s3Requests: number;
  /** Of one month's events, for each month that they are kept. */
  readonly storage: number;
}

export function monthlyCost(eventsASecond: number, freshnessSeconds: number): Cost {
  const lingerSeconds = rhythmOf(freshnessSeconds * 1_000, { everyMs: 0 }).lingerMs / 1_000;
  const most = Math.max(eventsASecond / batch.events, (eventsASecond * eventBytes) / batch.bytes);
  const objects = Math.max(most, Math.min(eventsASecond, 1 / lingerSeconds));

  const metrics = 1 / Math.max(10, freshnessSeconds);
  /** Sent, received and deleted. */
  const references = 3 * objects + emptyReceivesASecond + metrics;
  const pauseSeconds = Math.min(1, lingerSeconds / 10);
  const receives = Math.max(eventsASecond / 10, Math.min(eventsASecond, 1 / pauseSeconds), emptyReceivesASecond);
  // Producers send at least once a second; a batch is deleted at once.
  const sends = Math.max(eventsASecond / 10, Math.min(eventsASecond, 1));
  const deletes = Math.max(eventsASecond / 10, objects);
  const single = sends + receives + deletes + metrics;
  const messages = Math.max((eventsASecond * eventBytes) / chunkBytes, Math.min(eventsASecond, 1));
  const packed = messages + Math.max(messages, emptyReceivesASecond) + Math.max(messages / 10, objects) + metrics;

  // Written, found by its prefix before its reference is sent, and read by the load.
  const listed = objects + (objects * reconcile.seconds) / reconcile.objectsAPage / reconcile.everySeconds;
  const s3 = (objects + listed) * price.s3PutOrList + objects * price.s3Get;
  const gigabytes = (eventsASecond * secondsAMonth * eventBytes * compressed) / 1e9;
  return {
    sqsSingle: (single + references) * price.sqsRequest * secondsAMonth,
    sqsPacked: (packed + references) * price.sqsRequest * secondsAMonth,
    s3Requests: s3 * secondsAMonth,
    storage: gigabytes * price.s3GigabyteMonth,
  };
}

/** Markdown. */
export function costTable(): string {
  const dollars = (amount: number): string => (amount < 10 ? amount.toFixed(2) : amount.toFixed(0));
  const head = ['events/s of 1 KB', '`freshness`', 'SQS, one a message', 'SQS, packed', 'S3 requests', 'S3 storage'];
  const rows = [1, 10, 100, 1_000, 10_000].flatMap((rate) =>
    [1, 10, 60].map((freshness) => {
      const { sqsSingle, sqsPacked, s3Requests, storage } = monthlyCost(rate, freshness);
      return [`${rate}`, `${freshness}s`, ...[sqsSingle, sqsPacked, s3Requests, storage].map(dollars)];
    }),
  );
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

if (process.argv[1] === import.meta.filename) console.log(costTable());

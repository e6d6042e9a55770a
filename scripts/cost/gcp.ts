import { eventBytes, secondsAMonth, sends, type Rates } from './rates.js';
import { table } from './table.js';

/**
 * US dollars in us-central1, without what is free: https://cloud.google.com/pubsub/pricing as of 20 September 2026, and
 * https://cloud.google.com/storage/pricing as of a copy without a date.
 */
const price = {
  /** Of messages that are published or delivered; acknowledgements, extensions and all else are free. */
  pubsubByte: 40 / 2 ** 40,
  /** Class A: inserts and lists; class B: gets. */
  classA: 0.005 / 1e3,
  classB: 0.0004 / 1e3,
  gigabyteMonth: 0.02,
} as const;

/** A publish or a pull counts as so many bytes at least, however few it carries. */
const leastBytes = 1_000;
/** Of a message beside its body: the service's id and time, and the two ids that Catchment gives it. */
const aroundBytes = 140;
/** Of a packed message, for each event in it: its id and its length. */
const headBytes = 46;
const packedBytes = 256_000;
/**
 * Eight pulls wait on the source and four on the secondary queue, each for a minute where nothing comes. Google does not say
 * whether one that brings nothing counts: here it does.
 */
const emptyPulls = { source: 8 / 60, secondary: 4 / 60 } as const;

/** What Pub/Sub and Cloud Storage charge a month: the table in docs/gcp.md. */
export function gcpTable(): string {
  return table(['Pub/Sub, one a message', 'Pub/Sub, packed', 'GCS operations', 'GCS storage'], (rates) => {
    const { objects, listings, gigabytes } = rates;
    const operations = (objects + listings) * price.classA + objects * price.classB;
    return [
      bytesOfSingles(rates) * price.pubsubByte * secondsAMonth,
      bytesOfPacked(rates) * price.pubsubByte * secondsAMonth,
      operations * secondsAMonth,
      gigabytes * price.gigabyteMonth,
    ];
  });
}

/** Each event in its own message: with 1 KB in it, no request is too small. */
function bytesOfSingles(rates: Rates): number {
  return 2 * rates.events * (eventBytes + aroundBytes) + bytesOfTheRest(rates);
}

/** Packed by Catchment's own senders. */
function bytesOfPacked(rates: Rates): number {
  const messages = sends(rates.events, packedBytes / eventBytes);
  return 2 * (rates.events * (eventBytes + headBytes) + messages * aroundBytes) + bytesOfTheRest(rates);
}

/** A reference goes out in a request of its own, and comes so where few do. */
function bytesOfTheRest({ objects }: Rates): number {
  return leastBytes * (2 * objects + emptyPulls.source + emptyPulls.secondary);
}

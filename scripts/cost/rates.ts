import { rhythmOf } from '../../src/starter/rhythm.js';

export const secondsAMonth = (365.25 * 86_400) / 12;
export const eventBytes = 1_024;
/** Of the bodies' bytes, as gzip at level 1 leaves them of JSON with text in it. */
const compressed = 0.25;
const batch = { events: 20_000, bytes: 16e6 } as const;
/** What `reconcile` looks back over (`survive` and a day), and how often. */
const reconcile = { seconds: 4 * 86_400, everySeconds: 3_600, objectsAPage: 1_000 } as const;

/** What a pipeline with one poller does a second, on any cloud. */
export interface Rates {
  readonly events: number;
  /** As long as a batch gathers, in seconds. */
  readonly linger: number;
  /** Objects that are written, each of which has one reference and is read once by the load. */
  readonly objects: number;
  /** Each object is found by its prefix before its reference is sent; and the pages that `reconcile` lists. */
  readonly listings: number;
  /** How often the metrics ask for the backlog of one queue. */
  readonly backlogs: number;
  /** What a month's events take, for each month that they are kept. */
  readonly gigabytes: number;
}

export function ratesOf(events: number, freshnessSeconds: number): Rates {
  const linger = rhythmOf(freshnessSeconds * 1_000, { everyMs: 0 }).lingerMs / 1_000;
  const most = Math.max(events / batch.events, (events * eventBytes) / batch.bytes);
  const objects = Math.max(most, Math.min(events, 1 / linger));
  return {
    events,
    linger,
    objects,
    listings: objects + (objects * reconcile.seconds) / reconcile.objectsAPage / reconcile.everySeconds,
    backlogs: 1 / Math.max(10, freshnessSeconds),
    gigabytes: (events * secondsAMonth * eventBytes * compressed) / 1e9,
  };
}

/** Requests or messages a second of producers that send at least once a second, and so many events at once at most. */
export function sends(events: number, most: number): number {
  return Math.max(events / most, Math.min(events, 1));
}

import { Unavailable } from '../../errors.js';
import type { Backlog } from '../queue.js';
import type { PubsubCalls } from './pubsub-calls.js';
import { missingRemedy } from './sdk-remedies.js';

const monitoring = 'https://monitoring.googleapis.com';
const longestMs = 10_000;
/** A sample a minute, which can be seen some minutes later, with gaps: over so long there is one. */
const samplesOfMs = 900_000;
/** A minute until a sample is taken, and two until it can be seen, as Google has it; and one that we add. */
const seenWithinMs = 240_000;
/** Google: Cloud Monitoring, "Google Cloud metrics", pubsub. */
const metrics = {
  waiting: 'pubsub.googleapis.com/subscription/num_undelivered_messages',
  oldest: 'pubsub.googleapis.com/subscription/oldest_unacked_message_age',
} as const;

/** What waits, and what is leased with it, as Cloud Monitoring has it: Pub/Sub itself does not tell. */
export async function backlogOf(calls: PubsubCalls): Promise<Backlog> {
  const [waiting, oldest] = await Promise.all([latest(calls, metrics.waiting), latest(calls, metrics.oldest)]);
  if (waiting === undefined) await mustBeThere(calls);
  return {
    // No sample: nothing has ever been there, until so lately that none could be seen.
    waiting: waiting?.value ?? 0,
    leased: 0,
    asOf: waiting?.at ?? new Date(Date.now() - seenWithinMs),
    ...(oldest !== undefined && { oldestMs: oldest.value * 1_000 }),
  };
}

/** Of one that nobody made, or that somebody removed, there are no samples either. Who may not look at it takes it to be there. */
async function mustBeThere(calls: PubsubCalls): Promise<void> {
  const found = await calls.findSubscription().catch(() => 'unknown');
  if (found === undefined)
    throw new Unavailable(
      `asking what waits on ${calls.subscription}: there is no such subscription; ${missingRemedy}`,
    );
}

interface Sample {
  readonly value: number;
  readonly at: Date;
}

interface TimeSeries {
  /** The newest first. */
  readonly timeSeries?: readonly {
    readonly points?: readonly {
      readonly interval?: { readonly endTime?: string };
      readonly value?: { readonly int64Value?: string };
    }[];
  }[];
}

async function latest(calls: PubsubCalls, metric: string): Promise<Sample | undefined> {
  const doing = `asking Cloud Monitoring what waits on ${calls.subscription}`;
  const { auth, subscription } = await calls.connection(doing);
  const [, project, , name] = subscription.split('/');
  const now = Date.now();
  const query = new URLSearchParams({
    filter: `metric.type = "${metric}" AND resource.labels.subscription_id = "${name}"`,
    'interval.startTime': new Date(now - samplesOfMs).toISOString(),
    'interval.endTime': new Date(now).toISOString(),
  });
  const { monitoringEndpoint } = calls.settings;
  const url = `${monitoringEndpoint ?? monitoring}/v3/projects/${project}/timeSeries?${String(query)}`;
  if (auth === undefined && monitoringEndpoint === undefined)
    throw new Unavailable(`${doing}: an emulator has no Cloud Monitoring; name one that does in monitoringEndpoint`);
  try {
    // The client sends the token wherever it is told to, for anybody on the way to read.
    const isOpen = auth === undefined || new URL(url).protocol === 'http:';
    const answer = isOpen ? await plainly(url) : await auth.request<TimeSeries>({ url, timeout: longestMs });
    if (typeof answer.data !== 'object' || (answer.data as unknown) === null)
      throw new Unavailable(
        `${doing}: what answers is not Cloud Monitoring; look at the network, and at monitoringEndpoint`,
      );
    const { value, interval } = answer.data.timeSeries?.[0]?.points?.[0] ?? {};
    if (value?.int64Value === undefined || interval?.endTime === undefined) return undefined;
    return { value: Number(value.int64Value), at: new Date(interval.endTime) };
  } catch (error) {
    throw calls.failure(error, doing, 'monitoring.timeSeries.list');
  }
}

async function plainly(url: string): Promise<{ data: TimeSeries | undefined }> {
  const response = await fetch(url, { signal: AbortSignal.timeout(longestMs) });
  if (!response.ok) throw Object.assign(new Error('no answer'), { status: response.status });
  const text = await response.text();
  try {
    return { data: JSON.parse(text) as TimeSeries };
  } catch {
    return { data: undefined };
  }
}

import { Unavailable } from '../../errors.js';
import type { PubsubCalls } from './pubsub-calls.js';

const monitoring = 'https://monitoring.googleapis.com';
const longestMs = 10_000;
/** A sample a minute, which can be seen some minutes later, with gaps: over so long there is one. */
const samplesOfMs = 900_000;
/** Google: Cloud Monitoring, "Google Cloud metrics", pubsub. */
const metrics = {
  waiting: 'pubsub.googleapis.com/subscription/num_undelivered_messages',
  oldest: 'pubsub.googleapis.com/subscription/oldest_unacked_message_age',
} as const;

/**
 * What waits, and what is leased with it, as Cloud Monitoring has it: Pub/Sub itself does not tell. Some minutes old.
 */
export async function backlogOf(calls: PubsubCalls): Promise<{ waiting: number; leased: number; oldestMs?: number }> {
  const [waiting, oldest] = await Promise.all([latest(calls, metrics.waiting), latest(calls, metrics.oldest)]);
  // No sample: nothing has ever been there.
  return { waiting: waiting ?? 0, leased: 0, ...(oldest !== undefined && { oldestMs: oldest * 1_000 }) };
}

interface TimeSeries {
  /** The newest first. */
  readonly timeSeries?: readonly {
    readonly points?: readonly { readonly value?: { readonly int64Value?: string } }[];
  }[];
}

async function latest(calls: PubsubCalls, metric: string): Promise<number | undefined> {
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
    const value = answer.data.timeSeries?.[0]?.points?.[0]?.value?.int64Value;
    return value === undefined ? undefined : Number(value);
  } catch (error) {
    throw calls.failure(error, doing, 'monitoring.timeSeries.list');
  }
}

async function plainly(url: string): Promise<{ data: TimeSeries }> {
  const response = await fetch(url, { signal: AbortSignal.timeout(longestMs) });
  if (!response.ok) throw Object.assign(new Error('no answer'), { status: response.status });
  return { data: (await response.json()) as TimeSeries };
}

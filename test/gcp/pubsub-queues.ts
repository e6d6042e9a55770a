import { pubsub } from '../../src/providers/gcp/pubsub.js';
import type { PubsubOptions } from '../../src/providers/gcp/pubsub-options.js';
import type { Delivery, Outcome, Queue } from '../../src/providers/queue.js';
import { pubsubAdmin, pubsubEndpoint } from '../standins/gcp.js';
import type { PubsubFaults } from '../standins/pubsub-faults.js';
import { PubsubPlace, type SubscriptionSettings } from '../standins/pubsub-place.js';

const places: PubsubPlace[] = [];
const queues: Queue[] = [];
const faults: PubsubFaults[] = [];
afterEach(async () => {
  // A fault would hold up what is closed.
  await Promise.all(faults.splice(0).map((each) => each.clear()));
  await Promise.all([...queues.splice(0).map((queue) => queue.close()), ...places.splice(0).map((one) => one.close())]);
});

/** A topic with a subscription of a test's own, made by the calls of Pub/Sub. */
export async function newPlace(settings: SubscriptionSettings = { ackDeadlineSeconds: 600 }): Promise<PubsubPlace> {
  const place = await PubsubPlace.make(await pubsubEndpoint(), await pubsubAdmin(), settings);
  places.push(place);
  faults.push(place.faults.topic, place.faults.subscription);
  return place;
}

/** Closed after the test. */
export async function openQueue(
  { topic, subscription }: { readonly topic: string; readonly subscription: string },
  options: Partial<PubsubOptions> = {},
  part = 'secondary',
): Promise<Queue> {
  const service = { endpoint: await pubsubEndpoint(), monitoringEndpoint: await pubsubAdmin(), projectId: 'stand-in' };
  const provider = pubsub({ ...service, topic, subscription, ...options });
  const queue = provider.open({ pipeline: 'test', dataDir: 'unused', part });
  queues.push(queue);
  return queue;
}

interface Want {
  readonly messages?: number;
  readonly waitMs?: number;
  readonly leaseMs?: number;
}

/** One call. */
export async function receive(
  queue: Queue,
  { messages = 1_000, waitMs = 20_000, leaseMs = 600_000 }: Want = {},
): Promise<Delivery[]> {
  return await queue.receive({ messages, waitMs, leaseMs, signal: new AbortController().signal });
}

/** So many, of as many calls as they take. */
export async function receiveAll(queue: Queue, count: number): Promise<Delivery[]> {
  const all: Delivery[] = [];
  while (all.length < count) {
    const got = await receive(queue);
    if (got.length === 0) throw new Error(`no more came after ${all.length}`);
    all.push(...got);
  }
  return all;
}

export const textsOf = (deliveries: readonly Delivery[]): string[] =>
  deliveries.map(({ body }) => Buffer.from(body).toString());

export const receiptsOf = (deliveries: readonly Delivery[]): string[] => deliveries.map(({ receipt }) => receipt);

/** `done`, `expired`, `again`, `refused`; in runs: `1000 done, 1 refused`. */
export function runsOf(outcomes: readonly Outcome[]): string {
  const words = outcomes.map((each) => (each.status !== 'failed' ? each.status : each.retry ? 'again' : 'refused'));
  const runs: { word: string; count: number }[] = [];
  for (const word of words) {
    const last = runs.at(-1);
    if (last?.word === word) last.count++;
    else runs.push({ word, count: 1 });
  }
  return runs.map(({ word, count }) => `${count} ${word}`).join(', ');
}

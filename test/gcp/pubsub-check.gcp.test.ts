import { randomUUID } from 'node:crypto';

import type { PubsubOptions } from '../../src/providers/gcp/pubsub-options.js';
import type { Needs } from '../../src/providers/queue.js';
import { needs } from '../contract/queue-harness.js';
import { newPlace, openQueue } from './pubsub-queues.js';

const day = 86_400;
const good = {
  ackDeadlineSeconds: 300,
  messageRetentionDuration: { seconds: 31 * day },
  expirationPolicy: {},
} as const;

/** What is not well of a subscription: `error: …`. */
async function troubles(
  names: { readonly topic: string; readonly subscription: string },
  options: Partial<PubsubOptions> = {},
  asked: Needs = needs,
): Promise<string[]> {
  const queue = await openQueue(names, options);
  const found = await queue.check(asked);
  return found.filter(({ level }) => level !== 'ok').map(({ level, what, remedy }) => `${level}: ${what}; ${remedy}`);
}

const one = (text: string): unknown[] => [expect.stringContaining(text)];

test('all is well with what keeps messages, never expires, and may be used', async () => {
  expect(await troubles(await newPlace(good))).toEqual([]);
});

test('a subscription that is not there', async () => {
  const { topic } = await newPlace(good);
  const subscription = `projects/stand-in/subscriptions/none-${randomUUID()}`;
  expect(await troubles({ topic, subscription })).toEqual(
    one(`error: there is no Pub/Sub subscription ${subscription}`),
  );
});

test('one of another topic, or of one that was removed', async () => {
  const place = await newPlace(good);
  const topic = `projects/stand-in/topics/other-${randomUUID()}`;
  const { subscription } = place;
  expect(await troubles({ topic, subscription })).toEqual(
    one(`error: ${subscription} is a subscription of ${place.topic}, and the config names ${topic}`),
  );
  await place.publisher.deleteTopic({ topic: place.topic });
  expect(await troubles(place)).toEqual(one(`error: the topic of ${subscription} was removed`));
});

test('one that would lose what waits: by its retention, or since nobody used it', async () => {
  const short = await newPlace({ ...good, messageRetentionDuration: { seconds: 2 * day } });
  expect(await troubles(short)).toEqual(one('keeps messages for 2 d: what waits is lost in an outage of 3 d'));
  const month = await newPlace({ ...good, expirationPolicy: { ttl: { seconds: 31 * day } } });
  expect(await troubles(month)).toEqual(one('warning: Pub/Sub removes'));
  const expiring = await newPlace({ ...good, expirationPolicy: { ttl: { seconds: 2 * day } } });
  expect(await troubles(expiring)).toEqual(one('error: Pub/Sub removes'));
});

test('one that is not as the config asks', async () => {
  const place = await newPlace(good);
  expect(await troubles(place, { ordered: true })).toEqual(one('error:'));
  expect(await troubles(place, { exactlyOnce: true })).toEqual(one('does not deliver exactly once'));
});

test('dead letters that nobody would see, or that are given up too soon', async () => {
  const [dead, place] = [await newPlace(good), await newPlace(good)];
  const { topic, subscription } = dead;
  const deadLetters = { topic, subscription };
  expect(await troubles(place, { deadLetters })).toEqual(one(`sends nothing to ${topic}, which deadLetters names`));
  const policy = { deadLetterTopic: topic, maxDeliveryAttempts: 5 };
  const hurried = await newPlace({ ...good, deadLetterPolicy: policy });
  expect(await troubles(hurried)).toEqual([
    expect.stringContaining('warning'),
    expect.stringContaining(`sends dead letters to ${topic}, which the config does not name`),
  ]);
  expect(await troubles(hurried, { deadLetters })).toEqual(one('makes a dead letter of a message after 5 deliveries'));
  const nobodys = { topic, subscription: `${subscription}-none` };
  const patient = await newPlace({ ...good, deadLetterPolicy: { ...policy, maxDeliveryAttempts: 100 } });
  expect(await troubles(patient, { deadLetters: nobodys })).toEqual(one('what is sent there is gone'));
  await dead.publish('a', 'b');
  expect(await troubles(patient, { deadLetters })).toEqual(one('holds about 2 messages'));
});

test('what this process may not do, and a backlog that cannot be seen', async () => {
  const place = await newPlace(good);
  await place.faults.subscription.rule({ kind: 'deny' });
  expect(await troubles(place)).toEqual(one('allow pubsub.subscriptions.consume to who runs this'));
  await place.faults.subscription.clear();
  await place.faults.topic.rule({ kind: 'deny' });
  expect(await troubles(place)).toEqual(one('allow pubsub.topics.publish to who runs this'));
  await place.faults.topic.clear();
  expect(await troubles(place, { monitoringEndpoint: 'http://127.0.0.1:1' })).toEqual(
    one('warning: asking Cloud Monitoring what waits'),
  );
  await place.faults.subscription.rule({ method: 'GetSubscription', code: 'PERMISSION_DENIED' });
  expect(await troubles(place)).toEqual(one('allow pubsub.subscriptions.get to who runs this'));
});

test('a source may be of a topic that this process may not send to', async () => {
  const place = await newPlace(good);
  await place.faults.topic.rule({ kind: 'deny' });
  const source = await openQueue(place, {}, 'source-app');
  expect((await source.check(needs)).filter(({ level }) => level !== 'ok')).toEqual([]);
});

test('a queue whose dead letters go to its own topic', async () => {
  const { topic, subscription } = await newPlace(good);
  const deadLetters = { topic, subscription: `${subscription}-dead` };
  expect(await troubles({ topic, subscription }, { deadLetters })).toEqual(
    one(`test: secondary, its dead letters names ${topic}, which is that of test: secondary`),
  );
});

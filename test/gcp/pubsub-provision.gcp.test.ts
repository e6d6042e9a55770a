import { randomUUID } from 'node:crypto';

import { ConfigError } from '../../src/errors.js';
import type { Queue } from '../../src/providers/queue.js';
import { needs } from '../contract/queue-harness.js';
import { newPlace, openQueue } from './pubsub-queues.js';

const namesOf = (name: string) => ({
  topic: `projects/stand-in/topics/${name}`,
  subscription: `projects/stand-in/subscriptions/${name}`,
});
const newName = (): string => `made-${randomUUID()}`;
const whats = async (queue: Queue, how: 'plan' | 'apply'): Promise<string[]> =>
  (await queue.provision!(how, needs)).map(({ what }) => what);

test('what is not there is planned, made as planned, and then there is nothing to do', async () => {
  const [name, dead] = [newName(), newName()];
  const queue = await openQueue(namesOf(name), { deadLetters: namesOf(dead), ordered: true, exactlyOnce: true });
  const planned = await whats(queue, 'plan');
  const kept = 'keep messages for 31 d, never expire, hide what is handed out for 300 s, as long as a lease';
  expect(planned).toEqual([
    `make the Pub/Sub topic ${namesOf(dead).topic}`,
    `make the Pub/Sub subscription ${namesOf(dead).subscription}: ${kept}, deliver exactly once, deliver a group in order`,
    `make the Pub/Sub topic ${namesOf(name).topic}`,
    `make the Pub/Sub subscription ${namesOf(name).subscription}: ${kept}, send a message to ${namesOf(dead).topic} after 100 deliveries, deliver exactly once, deliver a group in order`,
  ]);
  expect(await whats(queue, 'plan')).toEqual(planned);
  expect(await whats(queue, 'apply')).toEqual(planned);
  expect(await whats(queue, 'apply')).toEqual([]);
  expect((await queue.check(needs)).filter(({ level }) => level !== 'ok')).toEqual([]);
});

test('what differs is changed, and nothing else', async () => {
  const place = await newPlace({
    ackDeadlineSeconds: 10,
    messageRetentionDuration: { seconds: 86_400 },
    expirationPolicy: { ttl: { seconds: 86_400 } },
    labels: { team: 'theirs' },
  });
  const queue = await openQueue(place, { exactlyOnce: true });
  const subscription = `Pub/Sub subscription ${place.subscription}`;
  const changes = [
    `${subscription}: keep messages for 31 d`,
    `${subscription}: never expire`,
    `${subscription}: hide what is handed out for 300 s, as long as a lease`,
    `${subscription}: deliver exactly once`,
  ];
  expect(await whats(queue, 'plan')).toEqual(changes);
  expect(await whats(queue, 'apply')).toEqual(changes);
  expect(await whats(queue, 'apply')).toEqual([]);
  const [found] = await place.subscriber.getSubscription({ subscription: place.subscription });
  expect(found).toMatchObject({ labels: { team: 'theirs' }, ackDeadlineSeconds: 300, enableExactlyOnceDelivery: true });
  expect(Number(found.messageRetentionDuration?.seconds)).toBe(31 * 86_400);
  expect(found.expirationPolicy?.ttl ?? undefined).toBeUndefined();
});

test('of settings that are asked for, those that are so already are left alone', async () => {
  const place = await newPlace({
    ackDeadlineSeconds: 10,
    messageRetentionDuration: { seconds: 31 * 86_400 },
    expirationPolicy: {},
    enableMessageOrdering: true,
    enableExactlyOnceDelivery: true,
  });
  const queue = await openQueue(place, { ordered: true, exactlyOnce: true });
  const change = `Pub/Sub subscription ${place.subscription}: hide what is handed out for 300 s, as long as a lease`;
  expect(await whats(queue, 'apply')).toEqual([change]);
  expect(await whats(queue, 'apply')).toEqual([]);
});

test('dead letters go where the config says, after as many deliveries as can be', async () => {
  const [dead, other] = [await newPlace(), await newPlace()];
  const { topic, subscription } = dead;
  for (const [deadLetterTopic, maxDeliveryAttempts] of [
    [topic, 5],
    [other.topic, 100],
  ] as const) {
    const place = await newPlace({ deadLetterPolicy: { deadLetterTopic, maxDeliveryAttempts } });
    const queue = await openQueue(place, { deadLetters: { topic, subscription } });
    expect(await whats(queue, 'apply')).toContain(
      `Pub/Sub subscription ${place.subscription}: send a message to ${topic} after 100 deliveries`,
    );
    expect(await whats(queue, 'apply')).toEqual([]);
    const [found] = await place.subscriber.getSubscription({ subscription: place.subscription });
    expect(found.deadLetterPolicy).toMatchObject({ deadLetterTopic: topic, maxDeliveryAttempts: 100 });
  }
});

test('a lease that Pub/Sub cannot keep is the nearest that it can', async () => {
  const place = await newPlace({ ackDeadlineSeconds: 20 });
  const queue = await openQueue(place);
  for (const [leaseMs, seconds] of [
    [3_600_000, 600],
    [5_000, 10],
  ] as const) {
    await queue.provision!('apply', { ...needs, leaseMs });
    const [found] = await place.subscriber.getSubscription({ subscription: place.subscription });
    expect(found.ackDeadlineSeconds).toBe(seconds);
  }
});

test('what cannot be changed is said, and nothing is changed', async () => {
  const place = await newPlace({ ackDeadlineSeconds: 20 });
  const ordered = await openQueue(place, { ordered: true });
  await expect(ordered.provision!('apply', needs)).rejects.toThrow(
    /is not made to deliver a group in order, and cannot be changed to it/,
  );
  const another = await openQueue({ ...namesOf(newName()), subscription: place.subscription });
  const provisioning = another.provision!('apply', needs);
  await expect(provisioning).rejects.toThrow(ConfigError);
  await expect(provisioning).rejects.toThrow(`is a subscription of ${place.topic}, and the config names`);
  const [found] = await place.subscriber.getSubscription({ subscription: place.subscription });
  expect(found.ackDeadlineSeconds).toBe(20);
});

test('no topic is made for a subscription that nothing would come to', async () => {
  const place = await newPlace();
  await place.publisher.deleteTopic({ topic: place.topic });
  const queue = await openQueue(place);
  await expect(queue.provision!('apply', needs)).rejects.toThrow(
    `the topic of ${place.subscription} was removed: nothing will come any more: once it is empty, remove the subscription`,
  );
  await expect(place.publisher.getTopic({ topic: place.topic })).rejects.toMatchObject({ code: 5 });
  const other = { topic: namesOf(newName()).topic, subscription: place.subscription };
  await expect((await openQueue(other)).provision!('apply', needs)).rejects.toThrow(ConfigError);
  await expect(place.publisher.getTopic({ topic: other.topic })).rejects.toMatchObject({ code: 5 });
});

test('two that provision at once both come to an end, with one of each made', async () => {
  const names = namesOf(newName());
  const queues = await Promise.all([openQueue(names), openQueue(names)]);
  await Promise.all(queues.map((queue) => whats(queue, 'apply')));
  for (const queue of queues) expect(await whats(queue, 'apply')).toEqual([]);
});

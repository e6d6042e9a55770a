import { until } from '../until.js';
import { pubsubAdmin, pubsubEndpoint } from './gcp.js';
import { bodiesOf, idsOf, PubsubPlace, type Content, type SubscriptionSettings } from './pubsub-place.js';

const places: PubsubPlace[] = [];
afterEach(async () => {
  for (const place of places.splice(0)) {
    await Promise.all([place.faults.topic.clear(), place.faults.subscription.clear()]);
    await place.close();
  }
});

async function make(settings?: SubscriptionSettings): Promise<PubsubPlace> {
  const place = await PubsubPlace.make(await pubsubEndpoint(), await pubsubAdmin(), settings);
  places.push(place);
  return place;
}

const refused = { code: 3 };
const days = (count: number): { seconds: number } => ({ seconds: count * 86_400 });

describe('topics and subscriptions', () => {
  test('are made once, found and deleted', async () => {
    const place = await make();
    const { topic, subscription } = place;
    await expect(place.publisher.createTopic({ name: topic })).rejects.toMatchObject({ code: 6 });
    await expect(place.subscribe({})).rejects.toMatchObject({ code: 6 });
    await expect(place.subscribe({ name: `${subscription}-a`, topic: `${topic}-b` })).rejects.toMatchObject({
      code: 5,
    });
    await place.subscriber.deleteSubscription({ subscription });
    await expect(place.subscriber.getSubscription({ subscription })).rejects.toMatchObject({ code: 5 });
    await expect(place.pull()).rejects.toMatchObject({ code: 5 });
    await place.publisher.deleteTopic({ topic });
    await expect(place.publisher.getTopic({ topic })).rejects.toMatchObject({ code: 5 });
    await expect(place.publish('a')).rejects.toMatchObject({ code: 5 });
  });

  test('are read back as they were given, and changed by a mask', async () => {
    const place = await make({
      ackDeadlineSeconds: 600,
      messageRetentionDuration: days(31),
      expirationPolicy: {},
      enableExactlyOnceDelivery: true,
      enableMessageOrdering: true,
    });
    const { subscriber, subscription: name, topic: deadLetterTopic } = place;
    const deadLetterPolicy = { deadLetterTopic, maxDeliveryAttempts: 100 };
    const subscription = { name, deadLetterPolicy, ackDeadlineSeconds: 10 };
    await subscriber.updateSubscription({ subscription, updateMask: { paths: ['dead_letter_policy'] } });
    const [found] = await subscriber.getSubscription({ subscription: name });
    expect(found).toMatchObject({
      topic: place.topic,
      ackDeadlineSeconds: 600,
      messageRetentionDuration: { seconds: String(31 * 86_400) },
      expirationPolicy: { ttl: null },
      enableExactlyOnceDelivery: true,
      enableMessageOrdering: true,
      deadLetterPolicy,
    });
    for (const path of ['enable_message_ordering', 'topic', 'nonsense'])
      await expect(
        subscriber.updateSubscription({ subscription, updateMask: { paths: [path] } }),
      ).rejects.toMatchObject(refused);
  });

  test.each([
    [{ ackDeadlineSeconds: 9 }, 3],
    [{ ackDeadlineSeconds: 601 }, 3],
    [{ messageRetentionDuration: { seconds: 31 * 86_400 + 1 } }, 3],
    [{ expirationPolicy: { ttl: { seconds: 86_399 } } }, 3],
    [{ deadLetterPolicy: { deadLetterTopic: 'projects/p/topics/none' } }, 5],
    [{ name: 'projects/stand-in/subscriptions/goog-name' }, 3],
  ])('%j is refused', async (settings, code) => {
    const place = await make();
    await expect(place.subscribe({ name: `${place.subscription}-2`, ...settings })).rejects.toMatchObject({ code });
  });
});

describe('messages', () => {
  const attributes = (count: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`name-${index}`, 'x']));
  const data = Buffer.from('x');

  test.each<[string, Content[]]>([
    ['none', []],
    ['an empty one', [{}]],
    ['1,001', Array.from({ length: 1_001 }, () => ({ data }))],
    ['over 10 MB', [{ data: Buffer.alloc(9_999_000) }, { data: Buffer.alloc(1_000) }]],
    ['101 attributes', [{ attributes: attributes(101) }]],
    ['a key of 257 bytes', [{ attributes: { ['ü'.repeat(128) + 'x']: 'x' } }]],
    ['an empty key', [{ data, attributes: { '': 'x' } }]],
    ['a key of Google', [{ data, attributes: { googclient_deliveryattempt: '1' } }]],
    ['a value of 1,025 bytes', [{ attributes: { name: 'x'.repeat(1_025) } }]],
    ['an ordering key of 1,025 bytes', [{ data, orderingKey: 'x'.repeat(1_025) }]],
  ])('%s: refused as a whole', async (_what, messages) => {
    const place = await make();
    await expect(place.publish(...messages)).rejects.toMatchObject(refused);
    expect(await place.faults.subscription.stats(place.subscription)).toMatchObject({ waiting: 0 });
  });

  test('of almost 10 MB come back whole, with all that the service allows', async () => {
    const place = await make();
    const most: Content = {
      data: Buffer.alloc(9_800_000, 'y'),
      attributes: { ...attributes(99), ['k'.repeat(256)]: 'v'.repeat(1_024) },
      orderingKey: 'o'.repeat(1_024),
    };
    const [messageId] = await place.publish(most);
    const [{ message }] = (await place.pull()) as [{ message: Content }];
    expect(message.messageId).toBe(messageId);
    expect(Buffer.from(message.data as Uint8Array).equals(most.data as Buffer)).toBe(true);
    expect(message).toMatchObject({ attributes: most.attributes, orderingKey: most.orderingKey });
    expect(Math.abs(Number(message.publishTime!.seconds) * 1_000 - Date.now())).toBeLessThan(600_000);
  });

  test('come 10 MB a pull, and none is lost', async () => {
    const place = await make({ ackDeadlineSeconds: 600 });
    for (let sent = 0; sent < 5; sent++)
      await place.publish({ data: Buffer.alloc(4_000_000), attributes: { number: `${sent}` } });
    const pulls = [await place.look(), await place.look(), await place.look()];
    expect(pulls.map((each) => each.length)).toEqual([2, 2, 1]);
    expect(pulls.flat().map(({ message }) => message!.attributes!['number'])).toEqual(['0', '1', '2', '3', '4']);
  });

  test('20,000 wait, and come 1,000 a pull to eight that ask at a time', async () => {
    const place = await make({ ackDeadlineSeconds: 600 });
    const batch = Array.from({ length: 1_000 }, () => ({ data: Buffer.alloc(1_024) }));
    const sent = (await Promise.all(Array.from({ length: 20 }, () => place.publish(...batch)))).flat();
    const got = new Set<string>();
    const drain = async (): Promise<void> => {
      for (let some = await place.look(); some.length > 0; some = await place.look()) {
        for (const { message } of some) got.add(message!.messageId!);
        await place.acknowledge(some);
      }
    };
    await Promise.all(Array.from({ length: 8 }, drain));
    expect([...got].sort()).toEqual(sent.sort());
    expect(await place.faults.subscription.stats(place.subscription)).toMatchObject({ waiting: 0, leased: 0 });
  }, 60_000);
});

describe('pulls', () => {
  test('wait for what comes, whether it is published, given back or leased no longer', async () => {
    const place = await make({ ackDeadlineSeconds: 600 });
    const published = place.pull();
    await place.publish('a');
    const first = await published;
    const givenBack = place.pull();
    await place.extend(first, 0);
    const second = await givenBack;
    expect(idsOf(second)).not.toEqual(idsOf(first));
    const lapsed = place.pull();
    await place.extend(second, 1);
    expect(bodiesOf(await lapsed)).toEqual(['a']);
  });

  test('that wait together share what comes', async () => {
    const place = await make();
    const pulls = Array.from({ length: 8 }, () => place.pull({ most: 1 }));
    await place.publish('0', '1', '2', '3', '4', '5', '6', '7');
    expect(bodiesOf((await Promise.all(pulls)).flat()).sort()).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
  });

  test('end with the time of who asks, and lease nothing to those that have gone', async () => {
    const place = await make({ ackDeadlineSeconds: 600 });
    const gone = Array.from({ length: 20 }, () => place.pull({ waitMs: 200 }));
    expect((await Promise.all(gone)).flat()).toEqual([]);
    // Each of the twenty would take one.
    for (let sent = 0; sent < 20; sent++) await place.publish(`${sent}`);
    expect(await place.faults.subscription.stats(place.subscription)).toMatchObject({ waiting: 20, leased: 0 });
  });

  test('of none are refused', async () => {
    await expect((await make()).look(0)).rejects.toMatchObject(refused);
  });
});

describe('receipts', () => {
  test('that hold nothing any more are taken, and do nothing', async () => {
    const place = await make({ ackDeadlineSeconds: 600 });
    await place.publish('a');
    const first = await place.pull();
    await place.extend(first, 0);
    const second = await place.pull();
    await place.acknowledge(first);
    await place.extend(first, 0);
    expect(await place.faults.subscription.stats(place.subscription)).toMatchObject({ waiting: 0, leased: 1 });
    await place.acknowledge(second);
    await place.acknowledge(second);
    expect(await place.look()).toEqual([]);
  });

  test('are refused where they are none, too many, or held too long', async () => {
    const place = await make();
    await place.publish('a');
    const [one] = await place.pull();
    const many = Array.from({ length: Math.ceil((512 * 1_024) / one!.ackId!.length) }, () => one!);
    for (const received of [[], [{ ackId: 'nonsense' }], many])
      await expect(place.acknowledge(received)).rejects.toMatchObject(refused);
    await expect(place.extend([one!], 601)).rejects.toMatchObject(refused);
    await place.extend([one!], 600);
  });

  test('of exactly-once subscriptions are named where they hold nothing, and the others are done', async () => {
    const place = await make({ enableExactlyOnceDelivery: true, ackDeadlineSeconds: 600 });
    await place.publish('a', 'b', 'c');
    const [a, b, c] = await place.pull();
    await place.extend([a!], 0);
    await place.acknowledge([b!]);
    const named = (...ids: string[]): object => ({
      code: 3,
      reason: 'EXACTLY_ONCE_ACKID_FAILURE',
      errorInfoMetadata: Object.fromEntries(ids.map((id) => [id, 'PERMANENT_FAILURE_INVALID_ACK_ID'])),
    });
    await expect(place.extend([a!, b!, c!], 60)).rejects.toMatchObject(named(a!.ackId!, b!.ackId!));
    await expect(place.acknowledge([a!, c!, { ackId: 'odd' }])).rejects.toMatchObject(named(a!.ackId!, 'odd'));
    expect(await place.faults.subscription.stats(place.subscription)).toMatchObject({ waiting: 1, leased: 0 });
  });
});

test('one key comes in order, several a pull, and what is behind a message that is given back comes after it', async () => {
  const place = await make({ enableMessageOrdering: true, ackDeadlineSeconds: 600 });
  const ordered = (text: string): Content => ({ data: Buffer.from(text), orderingKey: text[0]! });
  await place.publish(...['a1', 'b1', 'a2', 'a3', 'b2'].map(ordered));
  const first = await place.look(2);
  expect(bodiesOf(first)).toEqual(['a1', 'a2']);
  // While some of a key are out, the rest of it waits.
  const other = await place.look();
  expect(bodiesOf(other)).toEqual(['b1', 'b2']);
  await place.extend([first[0]!], 0);
  expect(bodiesOf(await place.look())).toEqual(['a1', 'a2', 'a3']);
  await place.acknowledge(other);
  expect(await place.look()).toEqual([]);
});

test('a dead letter is forwarded once, and says where it comes from', async () => {
  const place = await make();
  const { topic, subscription } = place;
  const dead = { topic: `${topic}-dead`, name: `${subscription}-dead` };
  await place.publisher.createTopic({ name: dead.topic });
  await place.subscribe(dead);
  const deadLetterPolicy = { deadLetterTopic: dead.topic, maxDeliveryAttempts: 5 };
  await place.subscriber.updateSubscription({
    subscription: { name: subscription, deadLetterPolicy },
    updateMask: { paths: ['dead_letter_policy'] },
  });
  await place.publish({ data: Buffer.from('poison'), attributes: { own: 'kept' } });
  for (let attempt = 1; attempt <= 5; attempt++) {
    const tried = await place.pull();
    expect(tried).toMatchObject([{ deliveryAttempt: attempt }]);
    await place.extend(tried, 0);
  }
  const letters = await place.pull({ subscription: dead.name });
  expect(bodiesOf(letters)).toEqual(['poison']);
  expect(letters[0]!.message!.attributes).toEqual({
    own: 'kept',
    CloudPubSubDeadLetterSourceDeliveryCount: '5',
    CloudPubSubDeadLetterSourceSubscription: subscription.split('/')[3],
    CloudPubSubDeadLetterSourceSubscriptionProject: 'stand-in',
    CloudPubSubDeadLetterSourceTopicPublishTime: expect.stringMatching(/^\d{4}-.*\+00:00$/) as string,
  });
  await place.subscriber.acknowledge({ subscription: dead.name, ackIds: idsOf(letters) });
  const empty = { waiting: 0, leased: 0 };
  expect(await place.faults.subscription.stats(subscription)).toMatchObject(empty);
  expect(await place.faults.subscription.stats(dead.name)).toMatchObject(empty);
});

test('what was tried before comes again after the backoff that is asked for', async () => {
  const place = await make({ retryPolicy: { minimumBackoff: { seconds: 1 }, maximumBackoff: { seconds: 1 } } });
  await place.publish('a');
  await place.extend(await place.pull(), 0);
  expect(await place.look()).toEqual([]);
  expect(bodiesOf(await place.pull())).toEqual(['a']);
});

test('Cloud Monitoring tells what is not acknowledged, and how old it is', async () => {
  const place = await make();
  await place.publish('a', 'b');
  await place.look(1);
  const metric = async (name: string): Promise<unknown> => {
    const [, project, , id] = place.subscription.split('/');
    const query = new URLSearchParams({
      filter: `metric.type = "pubsub.googleapis.com/subscription/${name}" AND resource.labels.subscription_id = "${id!}"`,
      'interval.startTime': new Date(Date.now() - 300_000).toISOString(),
      'interval.endTime': new Date().toISOString(),
    });
    const answer = await fetch(`${await pubsubAdmin()}/v3/projects/${project!}/timeSeries?${String(query)}`);
    return await answer.json();
  };
  const labels = { project_id: 'stand-in', subscription_id: place.subscription.split('/')[3] };
  expect(await metric('num_undelivered_messages')).toMatchObject({
    timeSeries: [{ resource: { type: 'pubsub_subscription', labels }, points: [{ value: { int64Value: '2' } }] }],
  });
  await until('an age of a second', async () => {
    const { timeSeries } = (await metric('oldest_unacked_message_age')) as {
      timeSeries: [{ points: [{ value: { int64Value: string } }] }];
    };
    return Number(timeSeries[0].points[0].value.int64Value) >= 1;
  });
  expect(await metric('nonsense')).toMatchObject({ error: { code: 404, status: 'NOT_FOUND' } });
});

import { CloudPlace } from '../cloud/place.js';
import { clientsOf, type PubsubClients } from '../gcp/clients.js';
import { GcsBucket, PubsubQueues, unknownToFakeGcs } from '../gcp/place.js';
import { gcsEndpoint, pubsubAdmin, pubsubEndpoint } from '../standins/gcp.js';
import { until } from '../until.js';
import { CloudExample, plainBodies } from './example/example.js';

const minutes = 60_000;

let place: CloudPlace;
let example: CloudExample;
let clients: PubsubClients;
beforeAll(async () => {
  const endpoint = await pubsubEndpoint();
  place = new CloudPlace(new PubsubQueues(endpoint, await pubsubAdmin()), new GcsBucket(await gcsEndpoint()));
  example = new CloudExample(place);
  clients = clientsOf(endpoint);
}, 3 * minutes);
afterAll(async () => {
  await example.pipeline.close();
  await place.close();
  await clients.close();
}, minutes);

test(
  'the example on Pub/Sub and GCS, by the commands that a user has: made, checked, sent, queried and proved, with the answer of the embedded parts',
  () => example.expectWhole(unknownToFakeGcs),
  4 * minutes,
);

const plainAttributes = { kind: 'plain', weight: '7', empty: '' };
const topicOf = (which: string): string => `projects/${place.name}/topics/${place.name}-${which}`;
const subscriptionOf = (which: string): string => `projects/${place.name}/subscriptions/${place.name}-${which}`;

/** As who does not know of Catchment sends: each event its own message. */
async function sendPlain(topic: string, bodies: readonly string[]): Promise<string[]> {
  const messages = bodies.map((body) => ({ data: Buffer.from(body), attributes: plainAttributes }));
  const [{ messageIds }] = await clients.publisher.publish({ topic, messages });
  expect(messageIds).toHaveLength(bodies.length);
  return messageIds!;
}

test(
  "what others send with Google's client is taken as it is: one event a message, its id that of Pub/Sub, with its attributes",
  async () => {
    const bodies = plainBodies('plain');
    const ids = await sendPlain(topicOf('app'), bodies);
    await example.pipeline.settle();
    expect(await example.idsOf('plain')).toEqual(ids.toSorted());
    const inLake = await example.stored(ids);
    for (const [index, id] of ids.entries())
      expect(inLake.get(id)!.map(({ attributes, body }) => ({ attributes, body: body.toString() }))).toEqual([
        { attributes: plainAttributes, body: bodies[index] },
      ]);
  },
  2 * minutes,
);

const attempts = 5;

/** Sends to a topic whose subscription gives a message up soon, and has Pub/Sub itself make dead letters of `app` of what was sent. */
async function deadByPubsub(bodies: readonly string[]): Promise<Date> {
  const { publisher, subscriber } = clients;
  const [name, subscription] = [topicOf('given-up'), subscriptionOf('given-up')];
  await publisher.createTopic({ name });
  const deadLetterPolicy = { deadLetterTopic: topicOf('app-dead'), maxDeliveryAttempts: attempts };
  await subscriber.createSubscription({ name: subscription, topic: name, deadLetterPolicy });
  const { waiting: before } = await place.backlog('app-dead');
  const sentAt = new Date();
  await sendPlain(name, bodies);
  await until('Pub/Sub to move the dead letters', async () => {
    const [{ receivedMessages }] = await subscriber
      .pull({ subscription, maxMessages: 10 }, { timeout: 2_000 })
      .catch(() => [{ receivedMessages: [] }]);
    const ackIds = (receivedMessages ?? []).map(({ ackId }) => ackId!);
    if (ackIds.length > 0) await subscriber.modifyAckDeadline({ subscription, ackIds, ackDeadlineSeconds: 0 });
    return (await place.backlog('app-dead')).waiting === before + bodies.length;
  });
  return sentAt;
}

test(
  'dead letters, those that were put there and those that Pub/Sub made, are warned of and counted, and drain-dlq brings them into the lake once, as sent when they were sent first',
  async () => {
    const put = await sendPlain(topicOf('app-dead'), plainBodies('put'));
    const sentAt = await deadByPubsub(plainBodies('moved'));

    expect(await example.findings('error')).toEqual([]);
    expect((await example.findings('warning')).join('\n')).toContain('app-dead holds about 20 messages');
    expect(await example.answerOf('reconcile')).toMatchObject({ ok: true, deadLetters: 20 });
    const drainedAt = Date.now();
    // Cloud Monitoring tells it some time later.
    const asOf = expect.any(String) as string;
    const drained = (messages: number): object => ({
      drained: [
        { queue: 'app', messages, left: 0, asOf },
        { queue: 'secondary', messages: 0, left: 0, asOf },
      ],
    });
    expect(await example.answerOf('drain-dlq')).toEqual(drained(20));
    expect(await example.answerOf('drain-dlq')).toEqual(drained(0));

    await example.pipeline.settle();
    expect(await example.idsOf('put')).toEqual(put.toSorted());
    const moved = await example.idsOf('moved');
    expect(new Set(moved).size).toBe(10);
    const inLake = await example.stored([...put, ...moved]);
    expect([...inLake.values()].map((copies) => copies.length)).toEqual(Array.from({ length: 20 }, () => 1));
    for (const id of moved) {
      const [event] = inLake.get(id)!;
      expect(event!.attributes).toMatchObject(plainAttributes);
      const time = Date.parse(event!.sentAt);
      expect(time).toBeGreaterThanOrEqual(sentAt.getTime() - 1);
      expect(time).toBeLessThan(drainedAt);
    }
    expect(await example.answerOf('reconcile', '--deep')).toMatchObject({ ok: true, deadLetters: 0 });
    expect((await example.findings('warning')).join('\n')).not.toContain('holds about');
  },
  3 * minutes,
);

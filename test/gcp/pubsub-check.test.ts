import type { PubsubCalls, Subscription } from '../../src/providers/gcp/pubsub-calls.js';
import { checkPubsub } from '../../src/providers/gcp/pubsub-check.js';
import { unavailable } from '../../src/providers/gcp/sdk.js';
import { needs } from '../contract/queue-harness.js';

const day = 86_400;
const { PUBSUB_EMULATOR_HOST } = process.env;
afterEach(() => {
  delete process.env['PUBSUB_EMULATOR_HOST'];
  if (PUBSUB_EMULATOR_HOST !== undefined) process.env['PUBSUB_EMULATOR_HOST'] = PUBSUB_EMULATOR_HOST;
});

const namesOf = (name: string) => ({
  topic: `projects/p/topics/${name}`,
  subscription: `projects/p/subscriptions/${name}`,
});

interface Made {
  /** What the subscription is beside one with which all is well. */
  readonly found?: Subscription;
  readonly endpoint?: string;
  /** What `testIamPermissions` answers for a resource; a number: the code of gRPC that it fails with. */
  readonly allowed?: (resource: string) => readonly string[] | number;
}

/** Of a subscription that is what a test says, which the stand-in has none like. */
function callsOf(name: string, { found = {}, endpoint, allowed = () => everything }: Made = {}): PubsubCalls {
  const { topic, subscription } = namesOf(name);
  const good = { messageRetentionDuration: { seconds: 31 * day }, expirationPolicy: {}, ackDeadlineSeconds: 300 };
  const testIamPermissions = ({ resource }: { resource: string }): Promise<unknown> => {
    const answer = allowed(resource);
    return typeof answer === 'number'
      ? Promise.reject(Object.assign(new Error(), { code: answer }))
      : Promise.resolve([{ permissions: answer }]);
  };
  const auth = { request: () => Promise.resolve({ data: {} }) };
  return {
    settings: { ...{ topic: name, subscription: name, ordered: false, exactlyOnce: false }, endpoint },
    ...{ topic, subscription },
    connection: () => Promise.resolve({ topic, subscription, auth, subscriber: { testIamPermissions } }),
    findSubscription: () => Promise.resolve({ name: subscription, topic, ...good, ...found }),
    failure: (error: unknown, doing: string, permission: string) => unavailable(error, { doing, permission }),
  } as unknown as PubsubCalls;
}

const everything = ['pubsub.subscriptions.consume', 'pubsub.topics.publish'];

interface Asked {
  readonly dead?: PubsubCalls;
  readonly mustSend?: boolean;
}

/** What is not well: `error: …`. */
async function troubles(calls: PubsubCalls, { dead, mustSend = true }: Asked = {}): Promise<string[]> {
  const found = await checkPubsub(calls, dead, needs, mustSend);
  return found.filter(({ level }) => level !== 'ok').map(({ level, what }) => `${level}: ${what}`);
}

const one = (text: string): unknown[] => [expect.stringContaining(text)];

test('all is well with one that is as it should be', async () => {
  expect(await troubles(callsOf('good'))).toEqual([]);
});

test.each<Subscription>([
  { pushConfig: { pushEndpoint: 'https://example.com' } },
  { bigqueryConfig: { table: 'p.d.t' } },
  { cloudStorageConfig: { bucket: 'b' } },
])('one whose messages somebody else gets: %j', async (found) => {
  expect(await troubles(callsOf('theirs', { found }))).toEqual(one('error: projects/p/subscriptions/theirs gives its'));
});

test('one that gives nothing to anybody else, though it says so', async () => {
  const found = { pushConfig: { pushEndpoint: '' }, bigqueryConfig: null, cloudStorageConfig: null, filter: '' };
  expect(await troubles(callsOf('pulled', { found }))).toEqual([]);
});

test('one that drops what does not pass a filter', async () => {
  const found = { filter: 'attributes.kind = "view"' };
  expect(await troubles(callsOf('filtered', { found }))).toEqual(one('has a filter'));
});

test('one that keeps messages just as long as an outage may be loses them at its end', async () => {
  const seconds = needs.surviveMs / 1_000;
  const short = callsOf('short', { found: { messageRetentionDuration: { seconds } } });
  expect(await troubles(short)).toEqual(one('error: projects/p/subscriptions/short keeps messages for 3 d'));
  const idle = callsOf('idle', { found: { expirationPolicy: { ttl: { seconds } } } });
  expect(await troubles(idle)).toEqual(one('error: Pub/Sub removes'));
});

test('one that was made without a word of when it expires does so after a month', async () => {
  expect(await troubles(callsOf('default', { found: { expirationPolicy: null } }))).toEqual(one('for 31 d'));
});

describe('dead letters', () => {
  const { topic } = namesOf('dead');
  const to = (deadLetterTopic: string, maxDeliveryAttempts = 100): Made => ({
    found: { deadLetterPolicy: { deadLetterTopic, maxDeliveryAttempts } },
  });

  test('that go where the config says', async () => {
    expect(await troubles(callsOf('app', to(topic)), { dead: callsOf('dead') })).toEqual([]);
  });

  test('that go elsewhere than the config says', async () => {
    const calls = callsOf('app', to('projects/p/topics/other'));
    expect(await troubles(calls, { dead: callsOf('dead') })).toEqual(one(`other, which is not ${topic}`));
  });

  test('that are made after few deliveries, which last as long as an outage may be', async () => {
    const deliveries = needs.surviveMs / needs.leaseMs;
    const dead = callsOf('dead');
    expect(await troubles(callsOf('app', to(topic, deliveries)), { dead })).toEqual([]);
    const fewer = callsOf('app', to(topic, deliveries - 1));
    expect(await troubles(fewer, { dead })).toEqual(one(`after ${deliveries - 1} deliveries`));
  });

  test.each<[Subscription, string]>([
    [{ topic: 'projects/p/topics/other' }, 'is a subscription of projects/p/topics/other'],
    [{ messageRetentionDuration: { seconds: day } }, 'dead keeps messages for 24 h'],
    [{ expirationPolicy: { ttl: { seconds: day } } }, 'error: Pub/Sub removes projects/p/subscriptions/dead'],
  ])('that would be lost where they are: %j', async (found, trouble) => {
    expect(await troubles(callsOf('app', to(topic)), { dead: callsOf('dead', { found }) })).toEqual(one(trouble));
  });
});

describe('what this process may do', () => {
  const allowed = (resource: string): string[] =>
    everything.filter((permission) => resource.includes('/topics/') !== permission.includes('.topics.'));

  test('a source may be a topic that it may not send to', async () => {
    const receives = { allowed: () => ['pubsub.subscriptions.consume'] };
    expect(await troubles(callsOf('source', receives), { mustSend: false })).toEqual([]);
    expect(await troubles(callsOf('secondary', receives))).toEqual(one('may not use projects/p/topics/secondary'));
  });

  test('each permission is that of its own resource', async () => {
    expect(await troubles(callsOf('app', { allowed }))).toHaveLength(2);
  });

  test('is not known of an emulator, which does not tell', async () => {
    expect(await troubles(callsOf('emulated', { allowed: () => 12 }))).toEqual([]);
    expect(await troubles(callsOf('away', { allowed: () => 14 }))).toEqual(one('asking what is allowed on'));
  });
});

test('an emulator that the environment names is not Pub/Sub itself; one that the config names is meant', async () => {
  process.env['PUBSUB_EMULATOR_HOST'] = '127.0.0.1:8085';
  expect(await troubles(callsOf('app'))).toEqual(one('warning: PUBSUB_EMULATOR_HOST is set'));
  expect(await troubles(callsOf('app', { endpoint: 'http://127.0.0.1:8085' }))).toEqual([]);
  process.env['PUBSUB_EMULATOR_HOST'] = '';
  expect(await troubles(callsOf('app'))).toEqual([]);
});

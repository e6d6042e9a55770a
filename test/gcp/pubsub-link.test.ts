import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { v1 } from '@google-cloud/pubsub';
import { jest } from '@jest/globals';

import { ConfigError } from '../../src/errors.js';
import { PubsubCalls } from '../../src/providers/gcp/pubsub-calls.js';
import { Link } from '../../src/providers/gcp/pubsub-link.js';

/** Nobody listens there: a connection is made without a word to anybody. */
const settings = {
  ...{ topic: 'link', subscription: 'link', ordered: false, exactlyOnce: false },
  ...{ endpoint: 'http://127.0.0.1:1', projectId: 'stand-in' },
};
const { env } = process;
const links: { close: () => Promise<void> }[] = [];
let closed: jest.SpiedFunction<v1.SubscriberClient['close']>;

beforeEach(() => {
  closed = jest.spyOn(v1.SubscriberClient.prototype, 'close');
});
afterEach(async () => {
  process.env = env;
  jest.useRealTimers();
  await Promise.all(links.splice(0).map((link) => link.close()));
  jest.restoreAllMocks();
});

function newLink(part: string, names: object = {}): Link {
  const link = new Link({ ...settings, ...names }, part);
  links.push(link);
  return link;
}

test('all calls have one connection, which is there until it is closed', async () => {
  const link = newLink('one');
  const [first, second] = await Promise.all([link.connected(), link.connected()]);
  expect(second).toBe(first);
  expect(first).toMatchObject({
    ...{ topic: 'projects/stand-in/topics/link', subscription: 'projects/stand-in/subscriptions/link' },
  });
  expect(first).not.toHaveProperty('auth'); // an emulator takes no token
  expect(closed).not.toHaveBeenCalled();
  await link.close();
  expect(closed).toHaveBeenCalledTimes(1);
});

test('where credentials are missing the next call looks for them again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'catchment-pubsub-link-'));
  try {
    const file = join(folder, 'credentials.json');
    process.env = { PATH: env['PATH'], GOOGLE_APPLICATION_CREDENTIALS: file, METADATA_SERVER_DETECTION: 'none' };
    const link = newLink('late', { topic: 'late', subscription: 'late', endpoint: undefined });
    await expect(link.connected()).rejects.not.toBeInstanceOf(ConfigError);
    const credentials = { client_id: 'id', client_secret: 'none', refresh_token: 'none' };
    writeFileSync(file, JSON.stringify({ type: 'authorized_user', ...credentials }));
    const connected = await link.connected();
    expect(connected).toMatchObject({ topic: 'projects/stand-in/topics/late' });
    expect(connected).toHaveProperty('auth');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('who is refused its topic or subscription is so by every call, and connects once', async () => {
  await newLink('owner', { topic: 'owned', subscription: 'owned' }).connected();
  for (const [names, refused] of [
    [{ topic: 'owned', subscription: 'free' }, 'topics/owned'],
    [{ topic: 'free', subscription: 'owned' }, 'subscriptions/owned'],
  ] as const) {
    closed.mockClear();
    const link = newLink(`other of ${refused}`, names);
    const first: unknown = await link.connected().catch((error: unknown) => error);
    expect(first).toMatchObject({ name: 'ConfigError', message: expect.stringContaining(refused) as string });
    expect(closed).toHaveBeenCalledTimes(1);
    await expect(link.connected()).rejects.toBe(first);
    expect(closed).toHaveBeenCalledTimes(1);
  }
});

test('credentials that are not taken are looked for anew, once a minute, and what is under way goes on', async () => {
  const calls = new PubsubCalls({ ...settings, topic: 'renewed', subscription: 'renewed' }, 'renewed');
  links.push(calls);
  const connection = async (code?: number) => {
    if (code !== undefined) calls.failure(Object.assign(new Error(), { code }), 'sending', 'it');
    return calls.connection('sending');
  };
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'queueMicrotask', 'nextTick'] });
  const first = await connection();
  expect(await connection(7)).toBe(first);
  const second = await connection(16);
  expect(second.subscriber).not.toBe(first.subscriber);
  expect(await connection(16)).toBe(second);
  expect(closed).not.toHaveBeenCalled();
  await jest.advanceTimersByTimeAsync(61_000);
  expect(closed.mock.contexts).toEqual([first.subscriber]);
  expect((await connection(16)).subscriber).not.toBe(second.subscriber);
});

test('nothing is connected any more once all is closed', async () => {
  const calls = new PubsubCalls({ ...settings, topic: 'ended', subscription: 'ended' }, 'ended');
  await calls.connection('sending');
  await Promise.all([calls.close(), calls.close()]);
  expect(closed).toHaveBeenCalled();
  await expect(calls.connection('sending')).rejects.toThrow(/^The subscription .*ended is closed\.$/);
  const never = new PubsubCalls({ ...settings, topic: 'unused', subscription: 'unused' }, 'unused');
  await never.close();
  await expect(never.publish([])).rejects.toThrow('is closed');
});

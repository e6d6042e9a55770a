import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Unavailable } from '../../src/errors.js';
import { backlogOf } from '../../src/providers/gcp/pubsub-backlog.js';
import type { PubsubCalls } from '../../src/providers/gcp/pubsub-calls.js';

/** Cloud Monitoring, which has these points of every metric, the newest first. */
let server: Server;
let points: unknown[];
/** Instead of them. */
let said: string | undefined;
let status: number;
let asked: { headers: IncomingHttpHeaders; query: URLSearchParams }[];
let settings: { monitoringEndpoint?: string };
/** What was asked with a token, which goes nowhere. */
let withToken: string[];
let auth: object | undefined;
let calls: PubsubCalls;
let looksAtIt: () => Promise<object | undefined>;

beforeEach(async () => {
  points = [];
  said = undefined;
  status = 200;
  looksAtIt = () => Promise.resolve({});
  asked = [];
  withToken = [];
  server = createServer(({ headers, url }, answer) => {
    asked.push({ headers, query: new URL(url!, 'http://localhost').searchParams });
    answer.writeHead(status).end(said ?? JSON.stringify(points.length === 0 ? {} : { timeSeries: [{ points }] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  settings = { monitoringEndpoint: `http://127.0.0.1:${port}` };
  const request = ({ url }: { url: string }): Promise<{ data: unknown }> => {
    withToken.push(url);
    return Promise.resolve({ data: { timeSeries: [{ points }] } });
  };
  auth = { request };
  calls = {
    subscription: 'projects/p/subscriptions/events',
    settings,
    connection: () => Promise.resolve({ auth, subscription: 'projects/p/subscriptions/events' }),
    failure: (error: unknown) => error,
    findSubscription: () => looksAtIt(),
  } as unknown as PubsubCalls;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const point = (endTime: string, int64Value: string): object => ({ interval: { endTime }, value: { int64Value } });

test('a backlog is as old as its newest sample', async () => {
  points = [point('2026-01-01T12:01:00Z', '3'), point('2026-01-01T12:00:00Z', '7')];
  await expect(backlogOf(calls)).resolves.toEqual({
    ...{ waiting: 3, leased: 0, oldestMs: 3_000 },
    asOf: new Date('2026-01-01T12:01:00Z'),
  });
});

test('where there is no sample none waited, as far as one could be seen by now', async () => {
  const begun = Date.now();
  const { waiting, oldestMs, asOf } = await backlogOf(calls);
  expect({ waiting, oldestMs }).toEqual({ waiting: 0, oldestMs: undefined });
  expect(asOf!.getTime()).toBeLessThan(begun - 180_000);
  expect(asOf!.getTime()).toBeGreaterThan(begun - 600_000);
});

test('a subscription that is not there is not taken for an empty one, but by who may not look at it', async () => {
  looksAtIt = () => Promise.resolve(undefined);
  await expect(backlogOf(calls)).rejects.toThrow(
    'asking what waits on projects/p/subscriptions/events: there is no such subscription; make it with catchment provision',
  );
  points = [point('2026-01-01T12:01:00Z', '3')];
  await expect(backlogOf(calls)).resolves.toMatchObject({ waiting: 3 });
  points = [];
  looksAtIt = () => Promise.reject(new Unavailable('PERMISSION_DENIED'));
  await expect(backlogOf(calls)).resolves.toMatchObject({ waiting: 0 });
});

test('a Cloud Monitoring that is reached over plain http is sent no token', async () => {
  await backlogOf(calls);
  expect(asked).toHaveLength(2);
  expect(asked.some(({ headers }) => headers.authorization !== undefined)).toBe(false);
  expect(withToken).toEqual([]);
});

test("Google's own is asked with one", async () => {
  points = [point('2026-01-01T12:01:00Z', '3')];
  delete settings.monitoringEndpoint;
  expect(await backlogOf(calls)).toMatchObject({ waiting: 3 });
  expect(asked).toEqual([]);
  const monitoring = 'https://monitoring.googleapis.com/v3/projects/p/timeSeries?';
  expect(withToken).toEqual([expect.stringContaining(monitoring), expect.stringContaining(monitoring)]);
});

test('of the one subscription all is asked for that a quarter of an hour has', async () => {
  await backlogOf(calls);
  const filters = asked.map(({ query }) => query.get('filter'));
  const ofEvents = 'AND resource.labels.subscription_id = "events"';
  expect(filters).toEqual([
    expect.stringMatching(new RegExp(`num_undelivered_messages" ${ofEvents}$`)),
    expect.stringMatching(new RegExp(`oldest_unacked_message_age" ${ofEvents}$`)),
  ]);
  for (const { query } of asked) {
    const [from, to] = ['startTime', 'endTime'].map((name) => Date.parse(query.get(`interval.${name}`)!));
    expect(to! - from!).toBe(900_000);
    expect(Math.abs(Date.now() - to!)).toBeLessThan(60_000);
  }
});

test('an answer that is none is never a backlog of nothing', async () => {
  status = 403;
  await expect(backlogOf(calls)).rejects.toMatchObject({ status: 403 });
});

test('an emulator, of which Cloud Monitoring knows nothing, is no reason to ask it', async () => {
  delete settings.monitoringEndpoint;
  auth = undefined;
  await expect(backlogOf(calls)).rejects.toThrow(/an emulator has no Cloud Monitoring/);
});

test.each(['<html>Log in first</html>', 'null', '"no"', ''])(
  'what answers something else (%j) is not taken for a Cloud Monitoring without samples',
  async (text) => {
    said = text;
    await expect(backlogOf(calls)).rejects.toThrow('what answers is not Cloud Monitoring');
  },
);

import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { backlogOf } from '../../src/providers/gcp/pubsub-backlog.js';
import type { PubsubCalls } from '../../src/providers/gcp/pubsub-calls.js';

/** Cloud Monitoring, which has these points of every metric, the newest first. */
let server: Server;
let points: unknown[];
let asked: IncomingHttpHeaders[];
let calls: PubsubCalls;

beforeEach(async () => {
  points = [];
  asked = [];
  server = createServer(({ headers }, answer) => {
    asked.push(headers);
    answer.end(JSON.stringify(points.length === 0 ? {} : { timeSeries: [{ points }] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const request = async ({ url }: { url: string }): Promise<{ data: unknown }> => {
    const response = await fetch(url, { headers: { authorization: 'Bearer secret' } });
    return { data: await response.json() };
  };
  calls = {
    subscription: 'projects/p/subscriptions/events',
    settings: { monitoringEndpoint: `http://127.0.0.1:${port}` },
    connection: () => Promise.resolve({ auth: { request }, subscription: 'projects/p/subscriptions/events' }),
    failure: (error: unknown) => error,
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

test('a Cloud Monitoring that is reached over plain http is sent no token', async () => {
  await backlogOf(calls);
  expect(asked).toHaveLength(2);
  expect(asked.some(({ authorization }) => authorization !== undefined)).toBe(false);
});

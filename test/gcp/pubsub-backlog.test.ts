import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

import { backlogOf } from '../../src/providers/gcp/pubsub-backlog.js';
import type { PubsubCalls } from '../../src/providers/gcp/pubsub-calls.js';

test('a Cloud Monitoring that is reached over plain http is sent no token', async () => {
  const asked: IncomingHttpHeaders[] = [];
  const server = createServer(({ headers }, answer) => {
    asked.push(headers);
    answer.end(JSON.stringify({ timeSeries: [{ points: [{ value: { int64Value: '3' } }] }] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const request = async ({ url }: { url: string }): Promise<{ data: unknown }> => {
      const response = await fetch(url, { headers: { authorization: 'Bearer secret' } });
      return { data: await response.json() };
    };
    const calls = {
      subscription: 'projects/p/subscriptions/events',
      settings: { monitoringEndpoint: `http://127.0.0.1:${port}` },
      connection: () => Promise.resolve({ auth: { request }, subscription: 'projects/p/subscriptions/events' }),
      failure: (error: unknown) => error,
    };

    await expect(backlogOf(calls as unknown as PubsubCalls)).resolves.toEqual({
      waiting: 3,
      leased: 0,
      oldestMs: 3_000,
    });
    expect(asked).toHaveLength(2);
    expect(asked.some(({ authorization }) => authorization !== undefined)).toBe(false);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

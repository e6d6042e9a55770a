import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { PubsubCalls } from '../../src/providers/gcp/pubsub-calls.js';
import { connect } from '../../src/providers/gcp/pubsub-connection.js';
import { unavailable } from '../../src/providers/gcp/sdk.js';

/** Takes requests for tokens, and answers none while it is silent. */
let server: Server;
let asked: number;
let silent: boolean;
let folder: string;
const { env } = process;

beforeEach(async () => {
  asked = 0;
  silent = true;
  server = createServer((request, response) => {
    asked++;
    if (silent) return;
    request.resume();
    const issued = { issued_token_type: 'urn:ietf:params:oauth:token-type:access_token', token_type: 'Bearer' };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ access_token: 'token', expires_in: 3_600, ...issued }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  folder = mkdtempSync(join(tmpdir(), 'catchment-pubsub-connection-'));
  const subject = join(folder, 'subject');
  const file = join(folder, 'credentials.json');
  writeFileSync(subject, 'subject');
  writeFileSync(
    file,
    JSON.stringify({
      type: 'external_account',
      audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/p',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
      credential_source: { file: subject },
    }),
  );
  process.env = { PATH: env['PATH'], GOOGLE_APPLICATION_CREDENTIALS: file };
});

afterEach(async () => {
  process.env = env;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
  rmSync(folder, { recursive: true });
});

const settings = { topic: 'events', subscription: 'mine', ordered: false, exactlyOnce: false };

test('a token that never comes is no empty subscription, and is asked for anew', async () => {
  const calls = new PubsubCalls({ ...settings, projectId: 'p', endpoint: 'https://127.0.0.1:1' }, 'a part', 1_000);
  const pull = async (): Promise<unknown> => (await calls.pull(10, 10_000)).answer;
  await expect(pull()).rejects.toThrow('receiving from projects/p/subscriptions/mine: ETIMEDOUT');
  silent = false;
  // Nobody listens there.
  await expect(pull()).rejects.toThrow('UNAVAILABLE');
  expect(asked).toBe(2);
  await calls.close();
}, 20_000);

test('a project that is asked for and never told is given up, with a word of it', async () => {
  const failed: unknown = await connect(settings, 2_000).catch((error: unknown) => error);
  expect(asked).toBeGreaterThan(0);
  const { message } = unavailable(failed, { doing: 'receiving', permission: 'it' });
  expect(message).toContain('receiving: ETIMEDOUT');
});

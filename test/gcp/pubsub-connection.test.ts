import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { PubsubCalls } from '../../src/providers/gcp/pubsub-calls.js';
import { connect } from '../../src/providers/gcp/pubsub-connection.js';
import { unavailable } from '../../src/providers/gcp/sdk.js';
import { until } from '../until.js';

/** Takes requests for tokens, and answers none while it is silent. */
let server: Server;
let asked: number;
let silent: boolean;
let folder: string;
let file: string;
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
  file = join(folder, 'credentials.json');
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
  const calls = new PubsubCalls({ ...settings, projectId: 'p', endpoint: 'https://127.0.0.1:1' }, 'a part', 3_000);
  const pull = async (): Promise<unknown> => (await calls.pull(10, 60_000)).answer;
  const pulled = (): Promise<string> => pull().then(String, (error: unknown) => (error as Error).message);
  expect(await pulled()).toContain('receiving from projects/p/subscriptions/mine: ETIMEDOUT');
  silent = false;
  // Nobody listens there.
  await until('a call with a token', async () => (await pulled()).includes('UNAVAILABLE'));
  await calls.close();
}, 60_000);

test('a project that is asked for and never told is given up, with a word of it', async () => {
  // Loaded by then, so that the time is what the question takes.
  await import('@google-cloud/pubsub');
  const failed: unknown = await connect(settings, 5_000).catch((error: unknown) => error);
  expect(asked).toBeGreaterThan(0);
  const { message } = unavailable(failed, { doing: 'receiving', permission: 'it' });
  expect(message).toContain('receiving: ETIMEDOUT');
}, 60_000);

test.each(['{', '', '{"type":"service_account"}', 'HIDDEN'])(
  'credentials that cannot be read (%j) are told, and not quoted',
  async (text) => {
    writeFileSync(file, text);
    const failed: unknown = await connect({ ...settings, projectId: 'p' }).catch((error: unknown) => error);
    const { message } = unavailable(failed, { doing: 'receiving', permission: 'it' });
    expect(message).toMatch(/^receiving: CredentialsUnreadable; the file of credentials cannot be read/);
    expect(message).not.toContain('HIDDEN');
  },
);

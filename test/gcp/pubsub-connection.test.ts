import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { connect } from '../../src/providers/gcp/pubsub-connection.js';
import { unavailable } from '../../src/providers/gcp/sdk.js';

/** Takes requests for tokens, and never answers. */
let server: Server;
let asked: number;
let folder: string;
const { env } = process;

beforeEach(async () => {
  asked = 0;
  server = createServer(() => asked++).listen(0, '127.0.0.1');
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

test('a project that is asked for and never told is given up, with a word of it', async () => {
  const settings = { topic: 'events', subscription: 'mine', ordered: false, exactlyOnce: false };
  const failed: unknown = await connect(settings, 2_000).catch((error: unknown) => error);
  expect(asked).toBeGreaterThan(0);
  const { message } = unavailable(failed, { doing: 'receiving', permission: 'it' });
  expect(message).toContain('receiving: ETIMEDOUT');
});

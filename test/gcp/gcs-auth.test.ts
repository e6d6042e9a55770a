import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Credentials } from '../../src/providers/gcp/gcs-auth.js';
import { Calls } from '../../src/providers/gcp/gcs-calls.js';
import { Pace } from '../../src/providers/gcp/gcs-pace.js';
import { unavailable } from '../../src/providers/gcp/sdk.js';

/** Gives out tokens, and is the store that takes them. */
describe('credentials', () => {
  let folder: string;
  let server: Server;
  let address: string;
  let given: number;
  let onToken: (response: ServerResponse) => void;
  /** Tokens that the store takes; each `authorization` that it saw. */
  let taken: (token: string) => boolean;
  let seen: (string | undefined)[];
  const before = process.env['GOOGLE_APPLICATION_CREDENTIALS'];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'catchment-gcs-auth-'));
    given = 0;
    seen = [];
    taken = () => true;
    onToken = (response) => {
      const token = { access_token: `token-${++given}`, expires_in: 3_600, token_type: 'Bearer' };
      response.setHeader('content-type', 'application/json');
      const issued = 'urn:ietf:params:oauth:token-type:access_token';
      response.end(JSON.stringify({ ...token, issued_token_type: issued }));
    };
    server = createServer((request, response) => {
      if (request.url === '/token') {
        request.resume();
        onToken(response);
        return;
      }
      seen.push(request.headers.authorization);
      response.statusCode = taken(request.headers.authorization ?? '') ? 200 : 401;
      response.end('{}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const subject = join(folder, 'subject');
    writeFileSync(subject, 'subject');
    const file = join(folder, 'credentials.json');
    const config = {
      type: 'external_account',
      audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/p',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${address}/token`,
      credential_source: { file: subject },
    };
    writeFileSync(file, JSON.stringify(config));
    process.env['GOOGLE_APPLICATION_CREDENTIALS'] = file;
  });
  afterEach(async () => {
    if (before === undefined) delete process.env['GOOGLE_APPLICATION_CREDENTIALS'];
    else process.env['GOOGLE_APPLICATION_CREDENTIALS'] = before;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
    rmSync(folder, { recursive: true });
  });

  const patience = { longestMs: 5_000, silenceMs: 2_000 };
  const callsWith = (credentials: Credentials): Calls =>
    new Calls({ endpoint: address, credentials, pace: new Pace(), patience });

  test('are sent with each call, and asked for once', async () => {
    const calls = callsWith(new Credentials(20_000));
    await calls.json({ method: 'GET', path: '/a' });
    await calls.json({ method: 'GET', path: '/b' });
    expect(seen).toEqual(['Bearer token-1', 'Bearer token-1']);
    expect(given).toBe(1);
  });

  test('that are not taken are asked for anew, once', async () => {
    const calls = callsWith(new Credentials(20_000));
    taken = (token) => token === 'Bearer token-2';
    expect(await calls.json({ method: 'GET', path: '/a' })).toEqual({});
    taken = () => false;
    await expect(calls.json({ method: 'GET', path: '/a' })).rejects.toMatchObject({ code: 401 });
    expect(seen).toEqual(['Bearer token-1', 'Bearer token-2', 'Bearer token-2', 'Bearer token-3']);
  });

  test('that never come are given up, and asked for anew', async () => {
    const waiting: ServerResponse[] = [];
    const gives = onToken;
    onToken = (response) => void waiting.push(response);
    const credentials = new Credentials(300);
    await expect(credentials.headers()).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    onToken = gives;
    expect(await new Credentials(2_000).headers()).toMatchObject({ Authorization: 'Bearer token-1' });
    // Loaded by now, so that 300 ms are enough.
    expect(await credentials.headers()).toMatchObject({ Authorization: 'Bearer token-2' });
    expect(waiting).toHaveLength(1);
  });

  test('that are not there say what to do', async () => {
    process.env['GOOGLE_APPLICATION_CREDENTIALS'] = join(folder, 'HIDDEN');
    const asked = { doing: 'writing a', permission: 'storage.objects.create' };
    const failed: unknown = await callsWith(new Credentials(2_000))
      .json({ method: 'GET', path: '/a' })
      .catch((error: unknown) => unavailable(error, asked));
    expect((failed as Error).message).toContain('GOOGLE_APPLICATION_CREDENTIALS');
    expect((failed as Error).message).not.toContain('HIDDEN');
    expect(seen).toEqual([]);
  });
});

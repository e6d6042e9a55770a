import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { pubsubEndpoint } from '../standins/gcp.js';

const run = promisify(execFile);
const jiti = join(dirname(createRequire(import.meta.url).resolve('jiti/package.json')), 'lib/jiti-cli.mjs');

/** Where Google's clients look for an account, were this a machine of Google's. */
let metadata: Server;
let asked = 0;
beforeAll(async () => {
  metadata = createServer((_request, response) => {
    asked++;
    response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await once(metadata, 'listening');
});
afterAll(() => {
  metadata.close();
});

/** A process of its own, in an environment that says nothing of Google but what is given. */
async function child(options: object, env: Record<string, string> = {}): Promise<{ stdout: string; stderr: string }> {
  const bare = Object.entries(process.env).filter(([name]) => !/^(GOOGLE|GCLOUD|PUBSUB|METADATA|GCE|NODE)_/.test(name));
  const GCE_METADATA_HOST = `127.0.0.1:${(metadata.address() as AddressInfo).port}`;
  return run(process.execPath, [jiti, join(import.meta.dirname, 'plain-child.ts'), JSON.stringify(options)], {
    env: { ...Object.fromEntries(bare), GCE_METADATA_HOST, ...env },
  });
}

const names = () => {
  const name = `plain-${randomUUID()}`;
  return { topic: name, subscription: name };
};

test('who reaches an emulator asks nobody for credentials, and warns of nothing', async () => {
  const endpoint = await pubsubEndpoint();
  expect(await child({ ...names(), endpoint, projectId: 'plain' })).toEqual({ stdout: 'came\n', stderr: '' });
  expect(asked).toBe(0);
});

test('PUBSUB_EMULATOR_HOST names one where the config names no endpoint', async () => {
  const PUBSUB_EMULATOR_HOST = new URL(await pubsubEndpoint()).host;
  const env = { PUBSUB_EMULATOR_HOST, GOOGLE_CLOUD_PROJECT: 'plain' };
  expect(await child(names(), env)).toEqual({ stdout: 'came\n', stderr: '' });
});

test('without a project there is nothing to reach, and that is said', async () => {
  const { stdout } = await child({ ...names(), endpoint: await pubsubEndpoint() });
  expect(stdout).toBe(
    'ConfigError: no Google Cloud project is known: name it in projectId, or set GOOGLE_CLOUD_PROJECT\n',
  );
});

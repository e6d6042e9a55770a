import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { installedAt, StandIn } from './process.js';

/**
 * fake-gcs-server, the stand-in for Cloud Storage. It lets anyone in and outlasts `kill -9`. It takes bytes that their CRC32C
 * contradicts, and heeds no precondition of a resumable upload or of a deletion.
 */
export async function startFakeGcs(folder: string): Promise<StandIn> {
  const program = installedAt('CATCHMENT_FAKE_GCS', 'fake-gcs', 'fake-gcs-server');
  return await StandIn.start(
    {
      name: 'fake-gcs-server',
      ports: 1,
      command: (where, [port]) => {
        const root = join(where, 'data');
        mkdirSync(root, { recursive: true });
        return [program, ...fakeGcsOptions(root, port!)];
      },
      answers: async ([port]) => {
        const url = `http://127.0.0.1:${port!}/storage/v1/b?project=stand-in`;
        const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
        await response.text();
        return response.ok;
      },
    },
    folder,
  );
}

function fakeGcsOptions(root: string, port: number): string[] {
  const options = {
    scheme: 'http',
    host: '127.0.0.1',
    port,
    backend: 'filesystem',
    'filesystem-root': root,
    // Sessions of uploads are to come back here.
    'external-url': `http://127.0.0.1:${port}`,
    'public-host': `127.0.0.1:${port}`,
    'log-level': 'warn',
  };
  return Object.entries(options).flatMap(([name, value]) => [`-${name}`, String(value)]);
}

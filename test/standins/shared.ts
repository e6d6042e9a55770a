/**
 * A stand-in for a file of tests. Where the environment names one it is taken: `npm run test:aws` and `npm run test:gcp` start
 * each once for all files. Else one is started for this file at the first call, which may take 20 s, and ended after its tests.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { StandIn } from './process.js';

/** By the variable that may name it: the address of one of its ports, the first unless another is said. */
export type AddressOf = (variable: string, port?: number) => () => Promise<string>;

export function shared(start: (folder: string) => Promise<StandIn>): AddressOf {
  let folder: string | undefined;
  let starting: Promise<StandIn> | undefined;
  afterAll(async () => {
    await (await starting?.catch(() => undefined))?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });
  return (variable, port = 0) =>
    async () => {
      const given = process.env[variable];
      if (given !== undefined && given !== '') return given;
      folder ??= mkdtempSync(join(tmpdir(), 'catchment-stand-in-'));
      starting ??= start(folder);
      return (await starting).endpoints[port]!;
    };
}

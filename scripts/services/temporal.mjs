import { join } from 'node:path';

import { createJiti } from 'jiti';

import { root } from './install.mjs';

/** The Temporal server of the tests: found as `catchment dev` finds one. */
export async function temporal() {
  const { findTemporal } = await createJiti(import.meta.url).import('../../src/dev/temporal-binary.ts');
  return await findTemporal({
    binDir: join(root, '.services', 'temporal', 'bin'),
    env: process.env,
    say: (line) => console.error(line),
  });
}

// Installs what the tests run beside Catchment into .services/, once for all of them, and prints the variables that name it:
//     eval "$(node scripts/services.mjs)"
import { join } from 'node:path';

import { createJiti } from 'jiti';

const root = join(import.meta.dirname, '..');
const { findTemporal } = await createJiti(import.meta.url).import('../src/dev/temporal-binary.ts');
try {
  const program = await findTemporal({
    binDir: join(root, '.services', 'temporal', 'bin'),
    env: process.env,
    say: (line) => console.error(line),
  });
  console.log(`export TEMPORAL_CLI_PATH='${program}'`);
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { installed, root, run } from './install.mjs';

/** A stand-in of our own: the program, built anew when its sources change. `folder`: under test/standins, and in .services. */
export async function goProgram({ folder: name, program, needed }) {
  const sources = join(root, 'test', 'standins', name);
  const folder = await installed(name, hashOf(sources), async (staging) => {
    console.error(`Building ${program} …`);
    // Stamped with the state of the repository it would depend on git, and on how the working copy was made.
    await run('go', ['build', '-trimpath', '-buildvcs=false', '-o', join(staging, program), '.'], {
      cwd: sources,
      // Without C there is no compiler for it to need.
      env: { GOWORK: 'off', GOTOOLCHAIN: 'local', CGO_ENABLED: '0' },
      needed,
    });
  });
  return join(folder, program);
}

function hashOf(sources) {
  const hash = createHash('sha256');
  for (const name of readdirSync(sources).sort()) hash.update(`${name}\n`).update(readFileSync(join(sources, name)));
  return hash.digest('hex');
}

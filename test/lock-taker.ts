import { createInterface } from 'node:readline';

import { tryLock } from '../src/locks.js';

/** Takes the lock of its first argument, or says that it is refused; on `release` gives it back. */
const lock = tryLock(process.argv[2]!, { what: 'a test' });
console.log(lock === undefined ? 'refused' : 'held');
createInterface(process.stdin)
  .on('line', () => {
    lock?.release();
    console.log('released');
  })
  .on('close', () => process.exit());

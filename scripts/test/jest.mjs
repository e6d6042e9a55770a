import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { root } from '../services/install.mjs';
import { inCi, program } from './steps.mjs';

const jestProgram = join('node_modules', 'jest', 'bin', 'jest.js');

/** A step: a run of Jest, whose results go to `file`. Resolves with 1 where no test ran, or in CI where any was skipped. */
export function jest(file, args, env = {}) {
  return async () => {
    // A test that was given up after its time may go on for ever; that must not hold up the answer.
    const options = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jestProgram, '--forceExit'];
    const status = await program(process.execPath, [...options, '--json', `--outputFile=${file}`, ...args], {
      env,
      // Of Jest's two reports, the one for machines is in the file.
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (!existsSync(file)) return 1; // it has said why
    const { numTotalTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(file, 'utf8'));
    const skipped = numPendingTests + numTodoTests;
    if (numTotalTests === 0) console.error('no test ran');
    if (inCi && skipped > 0) console.error(`${skipped} tests were skipped, which CI does not allow`);
    return numTotalTests === 0 || (inCi && skipped > 0) ? 1 : status;
  };
}

/** The files of tests that Jest finds by these arguments, from the repository's root. */
export function testFiles(...args) {
  const list = execFileSync(process.execPath, [jestProgram, '--listTests', ...args], { cwd: root, encoding: 'utf8' });
  return list
    .split('\n')
    .filter((line) => line !== '')
    .map((file) => relative(root, file).replaceAll('\\', '/'));
}

/** Those that import one of these, over however many others. */
export function testsOf(...modules) {
  return modules.length === 0 ? [] : testFiles('--findRelatedTests', ...modules);
}

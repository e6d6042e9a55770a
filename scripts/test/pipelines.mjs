import { join } from 'node:path';

import { jest, testsOf } from './jest.mjs';
import { beside, step } from './steps.mjs';

const folders = /^test\/(integration|faults)\//;
export const isOfPipelines = (file) => folders.test(file);

/** What starts a Temporal server: whatever imports what finds one. */
export function testsOfPipelines() {
  return testsOf(join('test', 'integration', 'dev-harness.ts')).filter(isOfPipelines);
}

/**
 * Those of these tests that are of whole pipelines, which mostly wait: those that hurt one, one after the other, beside those that
 * do not. Two that are hurt at the same time would starve each other on a small machine.
 */
export async function pipelines(files, where, results, env) {
  const inFolder = (folder) => files.filter((file) => file.startsWith(`test/${folder}/`));
  const one = (name, folder) =>
    runFiles(`${name}${where}`, `${results}-${folder}.json`, inFolder(folder), '--maxWorkers=1', env);
  await beside(one('integration tests', 'integration'), one('fault tests', 'faults'));
}

export async function runFiles(name, results, files, workers, env) {
  if (files.length === 0) console.log(`\n── ${name}: there are none`);
  else await step(name, jest(results, ['--runTestsByPath', ...files, workers], env));
}

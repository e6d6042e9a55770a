import { join } from 'node:path';

import { installServices } from '../services/services.mjs';
import { jest, testFiles } from './jest.mjs';
import { isOfPipelines, pipelines, testsOfPipelines } from './pipelines.mjs';
import { beside, leaveOut, npmRun, step } from './steps.mjs';

const ofClouds = '\\.(aws|gcp|mixed)\\.test\\.ts$';

/** `npm test`. */
export async function embedded(results) {
  // Each of them keeps one core busy, and lint alone takes longer than all others.
  const [, { env, missing }] = await beside(step('lint', npmRun('lint')), others());
  const withoutServer = missing.flatMap(({ service, reason }) => {
    const files = testsOfPipelines();
    leaveOut(files.join(', '), `there is no ${service} (${reason})`);
    return files;
  });
  const ours = ['--testPathIgnorePatterns', ofClouds];
  const unit = [...ours, 'test/(integration|faults)/'];
  await step('unit and contract tests', jest(join(results, 'unit.json'), unit, env));
  const files = testFiles(...ours).filter((file) => isOfPipelines(file) && !withoutServer.includes(file));
  await pipelines(files, '', join(results, 'embedded'), env);
}

async function others() {
  await step('format', npmRun('format'));
  await step('types', npmRun('types'));
  await step('unused code', npmRun('unused'));
  await step('build', npmRun('build'));
  return await installServices(['temporal']);
}

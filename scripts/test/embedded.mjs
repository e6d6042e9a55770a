import { join } from 'node:path';

import { installServices } from '../services/services.mjs';
import { jest, testsOf } from './jest.mjs';
import { leaveOut, npmRun, step } from './steps.mjs';

const ofClouds = '\\.(aws|gcp|mixed)\\.test\\.ts$';

/** `npm test`. */
export async function embedded(results) {
  // Each of them keeps one core busy, and lint alone takes longer than all others.
  await Promise.all([step('lint', npmRun('lint')), others()]);
  const { env, missing } = await installServices(['temporal']);
  const withoutServer = missing.flatMap(({ service, reason }) => {
    const files = testsOfPipelines();
    leaveOut(files.join(', '), `there is no ${service} (${reason})`);
    return files;
  });
  const ignore = ['--testPathIgnorePatterns', ofClouds];
  const unit = [...ignore, 'test/(integration|faults)/'];
  await step('unit and contract tests', jest(join(results, 'unit.json'), unit, env));
  // Whole pipelines: two at the same time would starve each other on a small machine.
  const heavy = ['integration', 'faults', '--maxWorkers=1', ...ignore, ...withoutServer];
  await step('integration and fault tests', jest(join(results, 'pipeline.json'), heavy, env));
}

async function others() {
  await step('format', npmRun('format'));
  await step('types', npmRun('types'));
  await step('unused code', npmRun('unused'));
  await step('build', npmRun('build'));
}

/** What starts a Temporal server: whatever imports what finds one. */
export function testsOfPipelines() {
  return testsOf(join('test', 'integration', 'dev-harness.ts')).filter((file) =>
    /^test.(integration|faults)\b/.test(file),
  );
}

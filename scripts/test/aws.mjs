import { join } from 'node:path';

import { installServices } from '../services/services.mjs';
import { testsOfPipelines } from './embedded.mjs';
import { jest, testFiles } from './jest.mjs';
import { startStandIns, testsOfStandIn } from './stand-ins.mjs';
import { atEnd, end, leaveOut, program, step, Stopped } from './steps.mjs';

const pattern = '\\.aws\\.test\\.ts$';
const ofPipelines = /^test\/(integration|faults)\//;

/** `npm run test:aws`: what needs SQS or S3, on stand-ins that are started once for all of it. */
export async function aws(results) {
  await step('build', () => program(process.execPath, [join('scripts', 'build.mjs'), '--if-changed']));
  let env;
  const without = new Set();
  const skip = (service, reason, files) => {
    const ours = files.filter((file) => new RegExp(pattern).test(file));
    if (ours.length > 0) leaveOut(ours.join(', '), `there is no ${service} (${reason})`);
    for (const file of ours) without.add(file);
  };
  try {
    await step('stand-ins', async () => {
      const installed = await installServices(['aws', 'temporal']);
      const started = await startStandIns(installed.env, atEnd);
      env = { ...installed.env, ...started.env };
      for (const { service, reason } of [...installed.missing, ...started.missing])
        skip(service, reason, service === 'Temporal server' ? testsOfPipelines() : testsOfStandIn(service));
    });
    const all = testFiles(pattern);
    if (all.length === 0) throw new Stopped(`there is no test of the name ${pattern}`);
    const files = all.filter((file) => !without.has(file));
    await run(
      'contract tests',
      'aws',
      files.filter((file) => !ofPipelines.test(file)),
      '--maxWorkers=2',
    );
    await run(
      'integration and fault tests',
      'aws-pipeline',
      files.filter((file) => ofPipelines.test(file)),
      '--maxWorkers=1',
    );
  } finally {
    await end();
  }

  async function run(name, file, files, workers) {
    if (files.length === 0) console.log(`\n── ${name}: there are none`);
    else await step(name, jest(join(results, `${file}.json`), ['--runTestsByPath', ...files, workers], env));
  }
}

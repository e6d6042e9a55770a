import { join } from 'node:path';

import { installServices } from '../services/services.mjs';
import { testFiles } from './jest.mjs';
import { isOfPipelines, pipelines, runFiles, testsOfPipelines } from './pipelines.mjs';
import { startStandIns, testsOfStandIn } from './stand-ins.mjs';
import { atEnd, end, leaveOut, program, step, Stopped } from './steps.mjs';

/** `npm run test:aws`: what needs SQS or S3. */
export const aws = cloud({ name: 'aws', pattern: '\\.aws\\.test\\.ts$' });
/** `npm run test:gcp`: what needs Pub/Sub or Cloud Storage, and what needs parts of both clouds. */
export const gcp = cloud({ name: 'gcp', pattern: '\\.(gcp|mixed)\\.test\\.ts$', others: ['aws'] });

/**
 * The tests of a cloud's parts, on stand-ins that are started once for all of it. Of other clouds only those are installed that
 * one of these tests calls for.
 */
function cloud({ name: cloudName, pattern, others = [] }) {
  const isOurs = (file) => new RegExp(pattern).test(file);
  const isCalledFor = (service) => testsOfStandIn(service).some(isOurs);

  return async (results) => {
    await step('build', () => program(process.execPath, [join('scripts', 'build.mjs'), '--if-changed']));
    let env;
    let standIns;
    const without = new Set();
    const skip = (service, reason, files) => {
      const ours = files.filter(isOurs);
      if (ours.length > 0) leaveOut(ours.join(', '), `there is no ${service} (${reason})`);
      for (const file of ours) without.add(file);
    };
    const all = testFiles(pattern);
    if (all.length === 0) throw new Stopped(`there is no test of the name ${pattern}`);
    try {
      await step('stand-ins', async () => {
        const own = await installServices([cloudName, 'temporal']);
        const other = await installServices(others, isCalledFor);
        const installed = { ...own.env, ...other.env };
        const started = await startStandIns(installed, atEnd);
        env = { ...installed, ...started.env };
        standIns = started.names.join(', ');
        for (const { service, reason } of [...own.missing, ...other.missing, ...started.missing])
          skip(service, reason, service === 'Temporal server' ? testsOfPipelines() : testsOfStandIn(service));
      });
      const files = all.filter((file) => !without.has(file));
      const where = ` on ${standIns}`;
      const contract = files.filter((file) => !isOfPipelines(file));
      await runFiles(`contract tests${where}`, join(results, `${cloudName}.json`), contract, '--maxWorkers=2', env);
      await pipelines(files, where, join(results, cloudName), env);
    } finally {
      await end();
    }
  };
}

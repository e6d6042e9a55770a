/**
 * The stand-ins for AWS, for tests. Where the environment names one it is taken: `npm run test:aws` starts each once for all
 * files. Else one is started for this file at the first call, which may take 20 s, and ended after its tests.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startElasticMq } from './elasticmq.js';
import { awsEnvironment } from './environment.js';
import type { StandIn } from './process.js';
import { startSeaweedFs } from './seaweedfs.js';
import { startSqsmem } from './sqsmem.js';

// A child gets them with `env: process.env`: without it Node gives it the environment that Jest itself was started in.
Object.assign(process.env, awsEnvironment);
// Clients of the tests' own would say in each file that Node 20 is old.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
delete process.env['AWS_PROFILE'];
delete process.env['AWS_SESSION_TOKEN'];

/** ElasticMQ: what the contract and the faults are tested on. */
export const sqsEndpoint = shared('CATCHMENT_TEST_SQS', startElasticMq);
/** SeaweedFS. */
export const s3Endpoint = shared('CATCHMENT_TEST_S3', startSeaweedFs);
/** `sqsmem`: a second opinion on the contract. */
export const sqsmemEndpoint = shared('CATCHMENT_TEST_SQSMEM', startSqsmem);

function shared(variable: string, start: (folder: string) => Promise<StandIn>): () => Promise<string> {
  let folder: string | undefined;
  let starting: Promise<StandIn> | undefined;
  afterAll(async () => {
    await (await starting?.catch(() => undefined))?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });
  return async () => {
    const given = process.env[variable];
    if (given !== undefined && given !== '') return given;
    folder ??= mkdtempSync(join(tmpdir(), 'catchment-aws-'));
    starting ??= start(folder);
    return (await starting).endpoint;
  };
}

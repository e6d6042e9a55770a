import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createJiti } from 'jiti';

import { root } from '../services/install.mjs';
import { testsOf } from './jest.mjs';

const folderOfStandIns = join('test', 'standins');
/** Of each service: what installed it, what starts it, the variable by which tests find it, and what they call for it. */
const standIns = [
  {
    service: 'ElasticMQ',
    at: 'CATCHMENT_ELASTICMQ_JARS',
    module: 'elasticmq',
    start: 'startElasticMq',
    variable: 'CATCHMENT_TEST_SQS',
    call: 'sqsEndpoint',
  },
  {
    service: 'SeaweedFS',
    at: 'CATCHMENT_WEED',
    module: 'seaweedfs',
    start: 'startSeaweedFs',
    variable: 'CATCHMENT_TEST_S3',
    call: 's3Endpoint',
  },
  {
    service: 'sqsmem',
    at: 'CATCHMENT_SQSMEM',
    module: 'sqsmem',
    start: 'startSqsmem',
    variable: 'CATCHMENT_TEST_SQSMEM',
    call: 'sqsmemEndpoint',
  },
];
/** Where their names stand without being asked for. */
const defining = ['aws', ...standIns.map(({ module }) => module)].map((name) => join(folderOfStandIns, `${name}.ts`));

/** Starts those that are installed, in a folder of their own; the environment by which the tests find them. */
export async function startStandIns(installed, atEnd) {
  const jiti = createJiti(import.meta.url);
  const load = (module) => jiti.import(join(root, folderOfStandIns, `${module}.ts`));
  const { awsEnvironment } = await load('environment');
  const env = { ...awsEnvironment };
  const missing = [];
  Object.assign(process.env, installed);
  const folder = mkdtempSync(join(tmpdir(), 'catchment-aws-'));
  atEnd(() => rmSync(folder, { recursive: true, maxRetries: 5 }));
  for (const { service, at, module, start, variable } of standIns) {
    if (installed[at] === undefined) continue;
    try {
      const own = join(folder, module);
      mkdirSync(own);
      const standIn = await (await load(module))[start](own);
      atEnd(() => standIn.stop());
      env[variable] = standIn.endpoint;
      console.log(`${service}: ${standIn.endpoint}`);
    } catch (error) {
      missing.push({ service, reason: error.message });
    }
  }
  return { env, missing };
}

/** What calls for this stand-in, itself or by what it imports. */
export function testsOfStandIn(service) {
  const { start, call } = standIns.find((each) => each.service === service);
  const asks = new RegExp(`\\b(${start}|${call})\\b`);
  const callers = readdirSync(join(root, 'test'), { recursive: true })
    .map((name) => join('test', name))
    .filter((file) => file.endsWith('.ts') && !defining.includes(file))
    .filter((file) => asks.test(readFileSync(join(root, file), 'utf8')));
  return testsOf(...callers);
}

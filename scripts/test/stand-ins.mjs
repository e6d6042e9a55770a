import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createJiti } from 'jiti';

import { root } from '../services/install.mjs';
import { testsOf } from './jest.mjs';

const folderOfStandIns = join('test', 'standins');
/**
 * Of each service: what installed it, what starts it, and what tests call for it, by the variable that names its address: of its
 * first port, its second and so on.
 */
const standIns = [
  {
    service: 'ElasticMQ',
    at: 'CATCHMENT_ELASTICMQ_JARS',
    module: 'elasticmq',
    start: 'startElasticMq',
    calls: { CATCHMENT_TEST_SQS: 'sqsEndpoint' },
  },
  {
    service: 'SeaweedFS',
    at: 'CATCHMENT_WEED',
    module: 'seaweedfs',
    start: 'startSeaweedFs',
    calls: { CATCHMENT_TEST_S3: 's3Endpoint' },
  },
  {
    service: 'sqsmem',
    at: 'CATCHMENT_SQSMEM',
    module: 'sqsmem',
    start: 'startSqsmem',
    calls: { CATCHMENT_TEST_SQSMEM: 'sqsmemEndpoint' },
  },
  {
    service: 'pubsub-standin',
    at: 'CATCHMENT_PUBSUB',
    module: 'pubsub',
    start: 'startPubsub',
    calls: { CATCHMENT_TEST_PUBSUB: 'pubsubEndpoint', CATCHMENT_TEST_PUBSUB_ADMIN: 'pubsubAdmin' },
  },
  {
    service: 'fake-gcs-server',
    at: 'CATCHMENT_FAKE_GCS',
    module: 'fake-gcs',
    start: 'startFakeGcs',
    calls: { CATCHMENT_TEST_GCS: 'gcsEndpoint' },
  },
];
/** Where their names stand without being asked for. */
const defining = ['aws', 'gcp', ...standIns.map(({ module }) => module)].map((name) =>
  join(folderOfStandIns, `${name}.ts`),
);

/** Starts those that are installed, in a folder of their own: their names, and the environment by which the tests find them. */
export async function startStandIns(installed, atEnd) {
  const jiti = createJiti(import.meta.url);
  const load = (module) => jiti.import(join(root, folderOfStandIns, `${module}.ts`));
  const { awsEnvironment, gcpEnvironment } = await load('environment');
  const env = { ...awsEnvironment, ...gcpEnvironment };
  const names = [];
  const missing = [];
  Object.assign(process.env, installed);
  const folder = mkdtempSync(join(tmpdir(), 'catchment-stand-ins-'));
  atEnd(() => rmSync(folder, { recursive: true, maxRetries: 5 }));
  for (const { service, at, module, start, calls } of standIns) {
    if (installed[at] === undefined) continue;
    try {
      const own = join(folder, module);
      mkdirSync(own);
      const standIn = await (await load(module))[start](own);
      atEnd(() => standIn.stop());
      for (const [index, variable] of Object.keys(calls).entries()) env[variable] = standIn.endpoints[index];
      names.push(service);
      console.log(`${service}: ${standIn.endpoint}`);
    } catch (error) {
      missing.push({ service, reason: error.message });
    }
  }
  return { env, names, missing };
}

/** What calls for this stand-in, itself or by what it imports. */
export function testsOfStandIn(service) {
  const { start, calls } = standIns.find((each) => each.service === service);
  const asks = new RegExp(`\\b(${[start, ...Object.values(calls)].join('|')})\\b`);
  const callers = readdirSync(join(root, 'test'), { recursive: true })
    .map((name) => join('test', name))
    .filter((file) => file.endsWith('.ts') && !defining.includes(file))
    .filter((file) => asks.test(readFileSync(join(root, file), 'utf8')));
  return testsOf(...callers);
}

/** The stand-ins for AWS, for tests: `shared.ts` says when each is started. */
import { startElasticMq } from './elasticmq.js';
import { awsEnvironment } from './environment.js';
import { startSeaweedFs } from './seaweedfs.js';
import { shared } from './shared.js';
import { startSqsmem } from './sqsmem.js';

// A child gets them with `env: process.env`: without it Node gives it the environment that Jest itself was started in.
Object.assign(process.env, awsEnvironment);
// Clients of the tests' own would say in each file that Node 20 is old.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
delete process.env['AWS_PROFILE'];
delete process.env['AWS_SESSION_TOKEN'];

/** ElasticMQ: what the contract and the faults are tested on. */
export const sqsEndpoint = shared(startElasticMq)('CATCHMENT_TEST_SQS');
/** SeaweedFS. */
export const s3Endpoint = shared(startSeaweedFs)('CATCHMENT_TEST_S3');
/** `sqsmem`: a second opinion on the contract. */
export const sqsmemEndpoint = shared(startSqsmem)('CATCHMENT_TEST_SQSMEM');

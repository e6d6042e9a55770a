/** The stand-ins for Google Cloud, for tests: `shared.ts` says when each is started. */
import { gcpEnvironment } from './environment.js';
import { startFakeGcs } from './fake-gcs.js';
import { startPubsub } from './pubsub.js';
import { shared } from './shared.js';

// A child gets them with `env: process.env`: without it Node gives it the environment that Jest itself was started in.
Object.assign(process.env, gcpEnvironment);
for (const variable of ['GOOGLE_APPLICATION_CREDENTIALS', 'PUBSUB_EMULATOR_HOST', 'STORAGE_EMULATOR_HOST'])
  Reflect.deleteProperty(process.env, variable);

const pubsub = shared(startPubsub);
/** `pubsub-standin`. */
export const pubsubEndpoint = pubsub('CATCHMENT_TEST_PUBSUB');
/** Where it is told what to do wrong, and says what it holds, also as Cloud Monitoring does. */
export const pubsubAdmin = pubsub('CATCHMENT_TEST_PUBSUB_ADMIN', 1);
/** fake-gcs-server. */
export const gcsEndpoint = shared(startFakeGcs)('CATCHMENT_TEST_GCS');

import { elasticmq } from './elasticmq.mjs';
import { fakeGcs } from './fake-gcs.mjs';
import { pubsub } from './pubsub.mjs';
import { seaweedfs } from './seaweedfs.mjs';
import { sqsmem } from './sqsmem.mjs';
import { temporal } from './temporal.mjs';

/** By profile: each service, the variable that says where it is, and what finds or installs it. */
const profiles = {
  temporal: [{ service: 'Temporal server', variable: 'TEMPORAL_CLI_PATH', install: temporal }],
  aws: [
    { service: 'ElasticMQ', variable: 'CATCHMENT_ELASTICMQ_JARS', install: elasticmq },
    { service: 'SeaweedFS', variable: 'CATCHMENT_WEED', install: seaweedfs },
    { service: 'sqsmem', variable: 'CATCHMENT_SQSMEM', install: sqsmem },
  ],
  gcp: [
    { service: 'pubsub-standin', variable: 'CATCHMENT_PUBSUB', install: pubsub },
    { service: 'fake-gcs-server', variable: 'CATCHMENT_FAKE_GCS', install: fakeGcs },
  ],
};

export const profileNames = Object.keys(profiles);

/**
 * Installs the services of these profiles, one after the other: what could be, as variables, and what could not, each with its
 * reason. One that fails keeps none of the others back. `only` says of a service whether it is wanted.
 */
export async function installServices(names, only = () => true) {
  const env = {};
  const missing = [];
  for (const { service, variable, install } of servicesOf(names, only)) {
    try {
      env[variable] = await install();
    } catch (error) {
      missing.push({ service, reason: error.message });
    }
  }
  return { env, missing };
}

function servicesOf(names, only) {
  return names.flatMap((name) => profiles[name]).filter(({ service }) => only(service));
}

import { elasticmq } from './elasticmq.mjs';
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
};

export const profileNames = Object.keys(profiles);

/**
 * Installs the services of these profiles, one after the other: what could be, as variables, and what could not, each with its
 * reason. One that fails keeps none of the others back.
 */
export async function installServices(names) {
  const env = {};
  const missing = [];
  for (const { service, variable, install } of names.flatMap((name) => profiles[name])) {
    try {
      env[variable] = await install();
    } catch (error) {
      missing.push({ service, reason: error.message });
    }
  }
  return { env, missing };
}

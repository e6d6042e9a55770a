// Installs what the tests run beside Catchment into .services/, once for all of them, and prints the variables that name it:
//     eval "$(node scripts/services.mjs)"                 the Temporal server
//     eval "$(node scripts/services.mjs aws)"             what stands in for SQS and S3
//     eval "$(node scripts/services.mjs gcp)"             what stands in for Pub/Sub and Cloud Storage
//     eval "$(node scripts/services.mjs temporal aws)"
import { installServices, profileNames } from './services/services.mjs';

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !profileNames.includes(name));
if (unknown.length > 0) {
  console.error(`error: there is no ${unknown.join(', ')}; there is ${profileNames.join(', ')}`);
  process.exit(2);
}

const { env, missing } = await installServices(asked.length > 0 ? asked : ['temporal']);
for (const [variable, path] of Object.entries(env)) console.log(`export ${variable}='${path}'`);
for (const { service, reason } of missing) console.error(`error: there is no ${service}: ${reason}`);
if (missing.length > 0) process.exitCode = 1;

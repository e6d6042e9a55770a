// `npm test`: what must hold before a change lands, the cheapest first; stops at the first step that fails.
//     npm test [-- --results DIR]                        with the embedded providers
//     npm run test:aws [-- --results DIR]                with SQS and S3, on what stands in for them
//     npm run test:gcp [-- --results DIR]                with Pub/Sub and Cloud Storage, and what needs both clouds
// DIR: for the results of each run of Jest, as JSON. With CI set nothing may be left out; else what this machine cannot run is
// named, with the reason.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { aws, gcp } from './test/cloud.mjs';
import { embedded } from './test/embedded.mjs';
import { Stopped, summary } from './test/steps.mjs';

const profiles = { embedded, aws, gcp };
const { values: options } = parseArgs({
  options: { results: { type: 'string' }, profile: { type: 'string', default: 'embedded' } },
});
const profile = profiles[options.profile];
if (profile === undefined) {
  console.error(`there is no profile ${options.profile}; there is ${Object.keys(profiles).join(', ')}`);
  process.exit(2);
}

const results = resolve(options.results ?? mkdtempSync(join(tmpdir(), 'catchment-results-')));
mkdirSync(results, { recursive: true });
try {
  await profile(results);
  summary();
} catch (error) {
  console.error(`\nthe tests stopped: ${error instanceof Stopped ? error.message : error.stack}`);
  process.exitCode = 1;
} finally {
  if (options.results === undefined) rmSync(results, { recursive: true });
}

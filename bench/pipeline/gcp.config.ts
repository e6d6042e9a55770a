import { defineConfig, gcs, pubsub, type Provider, type Queue } from 'catchment';

import { gated } from './gate.js';

/** Set by the bench: where its stand-ins are, and what this run calls its own. */
const { BENCH_PUBSUB, BENCH_MONITORING, BENCH_GCS, BENCH_RUN } = process.env;
const queue = (which: string): Provider<Queue> => {
  const name = `run-${BENCH_RUN!}-${which}`;
  const at = { projectId: 'bench', endpoint: BENCH_PUBSUB!, monitoringEndpoint: BENCH_MONITORING! };
  return pubsub({ topic: name, subscription: name, ...at });
};

/** References stay on the secondary queue: what is measured ends there. */
export default defineConfig({
  pipeline: 'bench',
  sources: { app: gated(queue('app')) },
  secondary: gated(queue('secondary'), 'loads-open'),
  lake: gcs({ bucket: 'bench', prefix: BENCH_RUN!, projectId: 'bench', location: 'EU', endpoint: BENCH_GCS! }),
  tables: './tables.ts',
  freshness: '1s',
  lease: '5m',
});

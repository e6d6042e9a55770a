import { defineConfig, s3, sqs } from 'catchment';

import { gated } from './gate.js';

/** Set by the bench: where its stand-ins are, and what this run calls its own. */
const { BENCH_SQS, BENCH_S3, BENCH_RUN } = process.env;
const queueUrl = (name: string): string => `${BENCH_SQS!}/000000000000/${BENCH_RUN!}-${name}`;

/** References stay on the secondary queue: what is measured ends there. */
export default defineConfig({
  pipeline: 'bench',
  sources: { app: gated(sqs({ queueUrl: queueUrl('app') })) },
  secondary: gated(sqs({ queueUrl: queueUrl('secondary') }), 'loads-open'),
  lake: s3({ bucket: 'bench', prefix: BENCH_RUN!, endpoint: BENCH_S3! }),
  tables: './tables.ts',
  freshness: '1s',
  lease: '5m',
});

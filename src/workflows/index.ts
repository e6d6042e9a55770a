export { ingestBatch } from './ingest-batch.js';
export { loadBatch } from './load-batch.js';
export { backfill } from './backfill.js';
export { reconcile } from './reconcile.js';

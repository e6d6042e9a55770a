export { defineConfig, type Config, type DefinedConfig } from './config/define.js';
export type { Duration } from './durations.js';
export * from './errors.js';
export type { Attributes } from './events.js';
export type { Json } from './json.js';
export { s3 } from './providers/aws/s3.js';
export type { S3Options } from './providers/aws/s3-options.js';
export { gcs } from './providers/gcp/gcs.js';
export type { GcsOptions } from './providers/gcp/gcs-options.js';
export type { Lake, LakeObject } from './providers/lake.js';
export { pubsub } from './providers/gcp/pubsub.js';
export type { PubsubOptions } from './providers/gcp/pubsub-options.js';
export { sqs } from './providers/aws/sqs.js';
export type { SqsOptions } from './providers/aws/sqs-options.js';
export { duckdb } from './providers/local/duckdb.js';
export { folderLake } from './providers/local/lake.js';
export { localQueue, type LocalQueueOptions } from './providers/local/queue.js';
export type { Place, Provider } from './providers/provider.js';
export type { Provisioned } from './providers/provision.js';
export type { Delivery, Finding, Message, Outcome, Queue, QueueLimits } from './providers/queue.js';
export type * from './providers/warehouse.js';
export {
  defineTable,
  type EventView,
  type Rows,
  type RowsContext,
  type Table,
  type TableDefinition,
} from './tables.js';

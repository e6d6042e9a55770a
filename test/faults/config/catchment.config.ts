import { defineConfig, duckdb, folderLake, localQueue } from 'catchment';

import { aimedLake, aimedQueue, aimedWarehouse } from './aimed.js';

/** The embedded parts, each of which can be made to stop its process at a point of an event's path. */
export default defineConfig({
  pipeline: 'faults',
  sources: { app: aimedQueue(localQueue()) },
  lake: aimedLake(folderLake()),
  secondary: aimedQueue(localQueue()),
  warehouse: aimedWarehouse(duckdb()),
  tables: './tables.ts',
  lease: '5s',
});

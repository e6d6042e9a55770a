import { defineConfig, duckdb } from 'catchment';

import { placeLake, placeQueue } from '../../cloud/parts.js';
import { aimedLake, aimedQueue, aimedWarehouse } from './aimed.js';

/** The parts on a cloud, each of which can be made to stop its process at a point of an event's path. */
export default defineConfig({
  pipeline: 'faults',
  sources: { app: aimedQueue(placeQueue('app')) },
  lake: aimedLake(placeLake()),
  secondary: aimedQueue(placeQueue('secondary')),
  warehouse: aimedWarehouse(duckdb()),
  tables: './tables.ts',
  freshness: '1s',
  lease: '5s',
  reconcileEvery: '10s',
});

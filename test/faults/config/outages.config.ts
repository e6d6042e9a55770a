import { defineConfig, duckdb, folderLake, localQueue } from 'catchment';

import { aimedQueue } from './aimed.js';
import { openToHands } from './by-hand.js';
import { outageLake, outageWarehouse } from './outages.js';

/** The embedded parts, of which lake and warehouse may be away for a while, and a table may be changed by hand. */
export default defineConfig({
  pipeline: 'faults',
  sources: { app: aimedQueue(localQueue()) },
  lake: outageLake(folderLake()),
  secondary: localQueue(),
  warehouse: outageWarehouse(openToHands(duckdb())),
  tables: './tables.ts',
  freshness: '500ms',
  lease: '10s',
  patience: '15s',
});

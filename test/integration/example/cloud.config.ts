import { defineConfig } from 'catchment';

import { placeLake, placeQueue } from '../../cloud/parts.js';

/** The example's own tables on whatever cloud. */
export default defineConfig({
  pipeline: 'github',
  sources: { app: placeQueue('app') },
  lake: placeLake(),
  secondary: placeQueue('secondary'),
  tables: '../../../examples/github/tables.ts',
  freshness: '1s',
  lease: '5s',
  // A thousand leases, the most that SQS can be told, do not last longer.
  survive: '1h',
});

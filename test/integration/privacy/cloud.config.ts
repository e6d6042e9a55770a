import { defineConfig } from 'catchment';

import { placeLake, placeQueue } from '../../cloud/parts.js';

export default defineConfig({
  pipeline: 'privacy',
  sources: { app: placeQueue('app') },
  lake: placeLake(),
  secondary: placeQueue('secondary'),
  tables: './tables.ts',
  freshness: '500ms',
  lease: '2s',
  reconcileEvery: '3s',
});

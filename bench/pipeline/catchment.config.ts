import { defineConfig, localQueue } from 'catchment';

import { gated } from './gate.js';

export default defineConfig({
  pipeline: 'bench',
  sources: { app: gated(localQueue()) },
  tables: './tables.ts',
  freshness: '1s',
});

import { defineConfig } from 'catchment';

export default defineConfig({
  pipeline: 'privacy',
  tables: './tables.ts',
  freshness: '500ms',
  lease: '2s',
  reconcileEvery: '3s',
});

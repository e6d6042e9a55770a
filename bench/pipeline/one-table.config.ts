import { defineConfig } from 'catchment';

import { views } from './tables.js';

/** One table alone: a backfill is of one, and what it is compared with is to do no more. */
export default defineConfig({ pipeline: 'bench', tables: [views], freshness: '1s' });

import { defineConfig, defineTable, duckdb, folderLake, localQueue } from 'catchment';
import { z } from 'zod';

import { aimedWarehouse } from './aimed.js';

const event = z.object({ n: z.number().int(), odd: z.string() });

/** Two tables of the same events: one has a column whose values only DuckDB can judge. */
export default defineConfig({
  pipeline: 'refused',
  sources: { app: localQueue() },
  lake: folderLake(),
  warehouse: aimedWarehouse(duckdb()),
  tables: [
    defineTable('judged', {
      version: 1,
      event,
      row: z.object({ n: z.number().int(), odd: z.string().meta({ sql: 'uuid' }) }),
      rows: ({ n, odd }) => ({ n, odd }),
    }),
    defineTable('plain', {
      version: 1,
      event,
      row: z.object({ n: z.number().int(), odd: z.string() }),
      rows: ({ n, odd }) => ({ n, odd }),
    }),
  ],
});

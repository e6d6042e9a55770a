import { defineConfig } from 'catchment';

// No queue, lake or warehouse is named, so the embedded ones serve; they keep their data in .catchment/ beside this file.
export default defineConfig({
  pipeline: 'github',
  tables: './tables.ts',
});

/** Tells how much of Google's client is loaded: once a config's lake is made and opened, and after its first call. */
import { createRequire } from 'node:module';

import { gcs } from '../../src/index.js';

process.env['GOOGLE_APPLICATION_CREDENTIALS'] = 'no such file';
delete process.env['STORAGE_EMULATOR_HOST'];

const { cache } = createRequire(import.meta.url);
const loaded = (): number => Object.keys(cache).filter((path) => path.includes('google-auth-library')).length;

// Nobody answers there.
const lake = gcs({ bucket: 'events', endpoint: 'https://127.0.0.1:1' }).open({
  pipeline: 'test',
  dataDir: '.catchment',
  part: 'lake',
});
console.log(`opened ${loaded()}`);
await lake.get('raw/a').catch(() => undefined);
console.log(`called ${loaded()}`);
process.exit();

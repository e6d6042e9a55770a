import { join } from 'node:path';

import { until } from '../until.js';
import { begin, end } from './config/outages.js';
import { Pipeline } from './pipeline.js';
import { whileSending } from './sender.js';
import { held, Watch } from './watch.js';

const pipeline = new Pipeline(join(import.meta.dirname, 'config', 'outages.config.ts'));
let watch: Watch | undefined;
afterAll(async () => {
  await watch?.close();
  await pipeline.close();
});

test('each call of lake and warehouse takes 1 to 3 seconds: all is loaded meanwhile, nothing is handed over, and there is no copy', async () => {
  const seen = (watch = await Watch.start(pipeline));
  await until('the tables', () =>
    seen.query('FROM checked').then(
      () => true,
      () => false,
    ),
  );
  begin(pipeline.dataDir, 'lake', 'slow');
  begin(pipeline.dataDir, 'warehouse', 'slow');
  const sent = await whileSending(pipeline, async (sender) => {
    await until('the events', () => sender.sent >= 2_000, 60_000);
  });
  await until(
    'all to be loaded',
    async () => (await seen.query('SELECT count(*)::INT AS n FROM singles'))[0]!['n'] === sent,
    90_000,
  );
  await until('no doorbell', async () => (await held(seen.source)) + (await held(seen.secondary)) === 0);
  expect(await seen.started('backfill')).toEqual([]);
  end(pipeline.dataDir, 'lake');
  end(pipeline.dataDir, 'warehouse');
  await pipeline.settle();
  await pipeline.freshEvent(sent);
  expect(await pipeline.judge()).toMatchObject({ faults: [], copies: 0 });
}, 240_000);

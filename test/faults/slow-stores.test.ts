import { join } from 'node:path';

import { until } from '../until.js';
import { begin } from './config/outages.js';
import { Pipeline } from './pipeline.js';
import { whileSending } from './sender.js';
import { Watch } from './watch.js';

const events = 2_000;

const pipeline = new Pipeline(join(import.meta.dirname, 'config', 'outages.config.ts'));
let watch: Watch | undefined;
afterAll(async () => {
  await watch?.close();
  await pipeline.close();
});

test('each call of lake and warehouse takes seconds: all is loaded, nothing is handed over, no load is given up, and there is no copy', async () => {
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
    await until('the events', () => sender.sent >= events, 60_000);
  });
  const began = performance.now();
  await until(
    'all to be loaded',
    async () => {
      const [row] = await seen.query('SELECT count(*) AS n FROM singles');
      return row!['n'] === sent;
    },
    90_000,
  ).catch(() => undefined);
  console.log('loaded after', performance.now() - began);
  const count = async (query: string): Promise<number> => (await seen.client.workflow.count(query)).count;
  console.log(
    sent,
    await seen.query(
      'SELECT count(*) AS n, count(DISTINCT load) AS loads, count(DISTINCT key) AS objects FROM singles, (FROM catchment_loads)',
    ),
    'failed',
    await count(`WorkflowType = 'loadBatch' AND ExecutionStatus = 'Failed'`),
    await seen.started('backfill'),
    await seen.pending('loadBatch'),
  );
  await pipeline.settle();
  const verdict = await pipeline.judge();
  console.log(verdict);
  expect(verdict).toMatchObject({ faults: [], copies: 0 });
}, 240_000);

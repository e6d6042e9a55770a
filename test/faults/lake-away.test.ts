import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { until } from '../until.js';
import { begin, end } from './config/outages.js';
import { Pipeline } from './pipeline.js';
import { whileSending } from './sender.js';
import { held, seenDuring, Watch } from './watch.js';

/** Of a poller: what more it receives waits in memory. */
const mostIngests = 4;
/** Of a poller, whatever its loads wait for. */
const mostLoads = 10;

const pipeline = new Pipeline(join(import.meta.dirname, 'config', 'outages.config.ts'));
let watch: Watch | undefined;
afterAll(async () => {
  await watch?.close();
  await pipeline.close();
});

test('the lake takes nothing, gives nothing, or neither: receiving stops, nothing multiplies; when it is back all goes on by itself, and there is no copy', async () => {
  const seen = (watch = await Watch.start(pipeline));
  const sent = await whileSending(pipeline, async (sender) => {
    const fresh = async (): Promise<void> => {
      const newest = sender.sent;
      const isIn = () => seen.query(`FROM singles WHERE number >= ${newest} LIMIT 1`);
      await until(`event ${newest}`, async () => (await isIn().catch(() => [])).length > 0, 60_000);
    };
    // A load that had its files already is handed over instead: then no doorbell is left.
    const givenUp = async (): Promise<boolean> => {
      const failed = await seen.client.workflow.count(`WorkflowType = 'loadBatch' AND ExecutionStatus = 'Failed'`);
      return failed.count > 0 || (await held(seen.secondary)) === 0;
    };
    await fresh();
    for (const [outage, activity] of [
      ['takes nothing', 'persist'],
      ['gives nothing', 'relay'],
      ['away', 'persist'],
    ] as const) {
      begin(pipeline.dataDir, 'lake', outage);
      const failing = (attempt: number): Promise<true> =>
        until(`${activity} to fail ${attempt} times`, async () => {
          const pending = await seen.pending('ingestBatch');
          return pending.some((one) => one.activity === activity && one.attempt > attempt && one.error !== '');
        });
      await failing(2);
      const before = { received: received(), leased: (await seen.source.backlog()).leased };
      const during = await seenDuring(
        async () => ({ ingests: await seen.running('ingestBatch'), loads: await seen.running('loadBatch') }),
        async () => {
          await failing(4);
          if (outage === 'away') await until('what was rung for to be given up', givenUp);
        },
      );
      const after = { received: received(), leased: (await seen.source.backlog()).leased };
      if (activity === 'persist') expect(after).toEqual(before);
      expect(Math.max(...during.map(({ ingests }) => ingests))).toBeLessThanOrEqual(mostIngests);
      expect(Math.max(...during.map(({ loads }) => loads))).toBeLessThanOrEqual(mostLoads);
      end(pipeline.dataDir, 'lake');
      await fresh();
    }
  });
  await pipeline.settle();
  await pipeline.freshEvent(sent);
  const verdict = await pipeline.judge();
  console.log(verdict);
  expect(verdict).toMatchObject({ faults: [], copies: 0 });
}, 240_000);

/** How often a poller was handed messages of the source. */
function received(): number {
  const folder = join(pipeline.dataDir, 'faults', 'passed');
  const passed = readdirSync(folder).flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'));
  return passed.filter((point) => point === 'received from source').length;
}

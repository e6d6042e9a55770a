import { join } from 'node:path';

import { until } from '../until.js';
import { changeByHand } from './config/by-hand.js';
import { Pipeline } from './pipeline.js';
import { whileSending } from './sender.js';
import { seenDuring, Watch } from './watch.js';

const patienceMs = 15_000;
/** What three attempts pause in all: who is fresh sooner did not wait for a table that fails. */
const attemptsMs = 9_000;
const error = 'table checked has no column number';

const pipeline = new Pipeline(join(import.meta.dirname, 'config', 'outages.config.ts'));
let watch: Watch | undefined;
afterAll(async () => {
  await watch?.close();
  await pipeline.close();
});

test('a column renamed by hand under a steady flow: one backfill, with the true error; other tables stay fresh, no doorbell waits longer than patience; renamed back, all is loaded', async () => {
  const seen = (watch = await Watch.start(pipeline));
  const rename = async (from: string, to: string): Promise<void> => {
    const change = changeByHand(pipeline.dataDir, `ALTER TABLE checked RENAME COLUMN ${from} TO ${to}`);
    await until('the change by hand', change.isDone);
  };
  const backfill = seen.client.workflow.getHandle('backfill/faults/checked');

  const sent = await whileSending(pipeline, async (sender) => {
    const fresh = async (tables: readonly string[], longestMs?: number): Promise<void> => {
      const newest = sender.sent;
      const isIn = (table: string) => `EXISTS (FROM ${table} WHERE number >= ${newest})`;
      const sql = `SELECT ${tables.map(isIn).join(' AND ')} AS fresh`;
      await until(
        `event ${newest} in ${tables.join()}`,
        async () => (await seen.query(sql))[0]!['fresh'] === true,
        longestMs,
      );
    };
    await until('rows', () =>
      seen.query('FROM checked LIMIT 1').then(
        ({ length }) => length > 0,
        () => false,
      ),
    );
    await fresh(['singles', 'pairs', 'checked']);

    const ages = await seenDuring(
      async () => (await seen.secondary.backlog()).oldestMs ?? 0,
      async () => {
        await rename('number', 'renamed');
        await until('the true error at the backfill', async () =>
          (await seen.pending('backfill')).some((one) => one.error.includes(error)),
        );
        for (let times = 0; times < 10; times++) await fresh(['singles', 'pairs'], attemptsMs);
      },
    );
    expect(Math.max(...ages)).toBeLessThan(patienceMs);
    expect(await seen.started('backfill')).toEqual(['backfill/faults/checked']);
    expect(await seen.pending('backfill')).toMatchObject([{ error: expect.stringContaining(error) as unknown }]);

    await rename('renamed', 'number');
    await fresh(['checked']);
    await until('the end of the backfill', async () => (await backfill.describe()).status.name === 'COMPLETED', 60_000);
  });
  await pipeline.settle();
  expect(new Set(await seen.started('backfill'))).toEqual(new Set(['backfill/faults/checked']));
  await pipeline.freshEvent(sent);
  const verdict = await pipeline.judge();
  console.log(verdict);
  expect(verdict.faults).toEqual([]);
}, 240_000);

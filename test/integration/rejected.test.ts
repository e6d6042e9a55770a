import { join } from 'node:path';

import type { Envelope } from '../../src/envelope.js';
import type { RejectedCounts, RejectedPage } from '../../src/rejected/rejected.js';
import { runCli, type CliResult } from '../run-cli.js';
import { until } from '../until.js';
import { PipelineFolder } from './pipeline-folder.js';

const minutes = 60_000;
const config = join(import.meta.dirname, '..', 'histories', 'pipeline.config.ts');
let pipeline: PipelineFolder;

beforeAll(async () => {
  pipeline = new PipelineFolder();
  await pipeline.up({ 'catchment.config.ts': `export { default } from ${JSON.stringify(config)};\n` });
}, 3 * minutes);
afterAll(() => pipeline.close(), minutes);

const cli = (...args: string[]): Promise<CliResult> => runCli(args, pipeline.dir);
const json = async (...args: string[]): Promise<unknown> => JSON.parse((await cli(...args, '--json')).stdout);

test(
  'rejected events are counted by reason, named one by one, and shown as they came',
  async () => {
    expect((await cli('rejected')).stdout).toBe('no event is rejected\n');
    await pipeline.send([{ n: 1 }, { n: 'one' }, { n: 'two' }, {}]);
    await until(
      'three rejections in each of two tables',
      async () => (await pipeline.query('SELECT line FROM catchment_rejected')).length === 6,
      2 * minutes,
    ).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}\n${pipeline.output}`);
    });

    const counts = (await json('rejected')) as RejectedCounts;
    expect(counts.more).toBe(false);
    expect(counts.reasons.map(({ table, events }) => [table, events])).toEqual([
      ['orders', 3],
      ['visits', 3],
    ]);
    expect(counts.reasons[0]!.reason).toContain('n: ');
    expect(await json('rejected', '--limit', '1')).toMatchObject({ reasons: [counts.reasons[0]], more: true });

    const [first, people] = await Promise.all([
      json('rejected', '--table', 'visits', '--limit', '2') as Promise<RejectedPage>,
      cli('rejected', '--table', 'visits', '--limit', '2'),
    ]);
    expect(first.rejections).toHaveLength(2);
    const lines = first.rejections.map(({ key, line, reason }) => `${key}:${line}  ${reason}\n`);
    expect(people).toMatchObject({
      status: 0,
      stdout: `${lines.join('')}there are more: go on with --after ${first.next!}\n`,
    });
    const rest = (await json('rejected', '--table', 'visits', '--after', first.next!)) as RejectedPage;
    expect(rest.rejections).toHaveLength(1);
    expect(rest).not.toHaveProperty('next');
    expect((await cli('rejected', '--table', 'visits', '--reason', 'no such')).stdout).toMatch(/^no event of visits/);

    const bodies = await Promise.all(
      [...first.rejections, ...rest.rejections].map(async ({ key, line }) => {
        return ((await json('show', `${key}:${line}`)) as { envelope: Envelope }).envelope.body;
      }),
    );
    expect(bodies.sort()).toEqual(['{"n":"one"}', '{"n":"two"}', '{}']);
  },
  5 * minutes,
);

test('what does not go together is a wrong call, and a table that there is not is said to be missing', async () => {
  const calls = [
    ['rejected', '--reason', 'n'],
    ['rejected', '--table', 'visits', '--after', 'last'],
    ['rejected', '--limit', 'all'],
    ['rejected', '--table', 'none'],
  ];
  const results = await Promise.all(calls.map((call) => cli(...call)));
  expect(results.map(({ status }) => status)).toEqual([2, 2, 2, 1]);
  expect(results[0]!.stderr).toContain('--reason: it goes with --table');
  expect(results[3]!.stderr).toContain('no table none');
});

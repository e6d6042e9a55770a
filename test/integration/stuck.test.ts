import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { Commands } from '../../src/stuck/commands.js';
import type { Stuck, StuckReport } from '../../src/stuck/report.js';
import { startCli, type CliResult } from '../run-cli.js';
import { until } from '../until.js';
import { PipelineFolder } from './pipeline-folder.js';
import { temporalProgram } from './temporal.js';
import { found } from './temporal-reads.js';

const minutes = 60_000;
const config = join(import.meta.dirname, '..', 'histories', 'pipeline.config.ts');
let pipeline: PipelineFolder;

beforeAll(async () => {
  pipeline = new PipelineFolder();
  await pipeline.up({ 'catchment.config.ts': `export { default } from ${JSON.stringify(config)};\n` });
}, 3 * minutes);
afterAll(() => pipeline.close(), minutes);

function cli(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  return startCli(args, { cwd: pipeline.dir, input: '', env: { TEMPORAL_ADDRESS: pipeline.address, ...env } }).result;
}

async function stuck(...args: string[]): Promise<StuckReport> {
  const { status, stdout, stderr } = await cli(['stuck', '--json', ...args]);
  if (stdout === '') throw new Error(stderr);
  const report = JSON.parse(stdout) as StuckReport;
  expect(status).toBe(report.stuck.length === 0 ? 0 : 1);
  return report;
}

/** Waits until it is told that this is stuck. */
function isStuck(what: string, matches: (one: Stuck) => boolean | undefined): Promise<Stuck> {
  return until(what, async () => (await stuck()).stuck.find(matches), 2 * minutes).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}\n${pipeline.output}`);
  });
}

/** Runs the command as a person does who copies it. */
async function runInShell(command: string): Promise<void> {
  const path = `${dirname(temporalProgram)}:${process.env['PATH'] ?? ''}`;
  const { TEMPORAL_ADDRESS: _address, ...env } = process.env;
  await promisify(execFile)('sh', ['-c', command], { env: { ...env, PATH: path } });
}

async function noneRuns(): Promise<void> {
  await until(
    'nothing stuck any more',
    async () => (await cli(['stuck'])).stdout.startsWith('nothing is stuck'),
    2 * minutes,
  );
}

/** The attempt that runs now, or comes next. */
async function attemptOf({ workflowId, activity }: Stuck): Promise<number | undefined> {
  const { raw } = await pipeline.client.workflow.getHandle(workflowId).describe();
  return raw.pendingActivities?.find(({ activityId }) => activityId === activity?.id)?.attempt ?? undefined;
}

test(
  'a lake that is down is told once for all batches that wait for it, with the command that tries them at once',
  async () => {
    expect((await stuck()).stuck).toEqual([]);
    pipeline.write('lake-down', '');
    await pipeline.send([{ n: 1 }]);
    const one = await isStuck('a failing persist', ({ attempt }) => attempt > 4);
    expect(one).toEqual({
      workflowId: expect.stringMatching(/^ingest\/histories\/app\//) as string,
      runId: expect.any(String) as string,
      state: 'failing',
      activity: {
        id: '1',
        type: 'persist',
        summary: expect.stringMatching(/^persist 1 event, .* → raw\/app\//) as string,
      },
      attempt: expect.any(Number) as number,
      since: expect.any(String) as string,
      nextAttemptAt: expect.any(String) as string,
      error: { type: 'Unavailable', message: 'the lake is down' },
      command: `temporal activity reset --workflow-id ${one.workflowId} --activity-id 1 --address ${pipeline.address}`,
    });
    expect(Date.now() - Date.parse(one.since!)).toBeLessThan(2 * minutes);

    const { status, stdout } = await cli(['stuck']);
    expect(status).toBe(1);
    expect(stdout).toMatch(
      /^persist has been failing for \d+ s; attempt \d+ .*\n {2}Unavailable: the lake is down\n {2}ingest\/.* \(persist .*\)\n {2}temporal activity reset .*\n\nwhat does not go on: 1 activity of 1 workflow\n$/,
    );

    const before = (await attemptOf(one))!;
    await runInShell(one.command);
    await until('attempts counted anew', async () => ((await attemptOf(one)) ?? before) < before, minutes);
    const again = await until(
      'a third attempt',
      async () => ((await attemptOf(one)) ?? 0) > 2 && attemptOf(one),
      minutes,
    );
    const all = new Commands({ address: pipeline.address, namespace: 'default' }).ofAll('ingest/histories/');
    await runInShell(`${all} --yes`);
    await until('attempts of all counted anew', async () => ((await attemptOf(one)) ?? again) < again, minutes);
    rmSync(join(pipeline.dir, 'lake-down'));
    await noneRuns();
  },
  5 * minutes,
);

test(
  'a warehouse that refuses one table is told with that table, and what is paused goes on by its command',
  async () => {
    pipeline.write('refuse-orders', '');
    await pipeline.send([{ n: 2 }]);
    const one = await isStuck('a failing backfill', ({ workflowId, attempt }) => {
      return workflowId === 'backfill/histories/orders' && attempt > 1;
    });
    expect(one).toMatchObject({
      state: 'failing',
      activity: { type: 'load', summary: 'load 1 row, 0 rejections → orders' },
      table: 'orders',
      error: { type: 'Unavailable', message: 'orders cannot be loaded' },
    });

    await runInShell(one.command.replace('activity reset', 'activity pause'));
    const paused = await isStuck('a paused activity', ({ state }) => state === 'paused');
    expect(paused).toMatchObject({ workflowId: one.workflowId, activity: { id: one.activity!.id }, table: 'orders' });
    rmSync(join(pipeline.dir, 'refuse-orders'));
    await runInShell(paused.command);
    await noneRuns();
    await until(
      'the row',
      async () => (await pipeline.query('SELECT n FROM orders WHERE n = 2')).length === 1,
      minutes,
    );
  },
  5 * minutes,
);

test(
  'workflows whose code cannot be run, or that no worker takes, are told; those of other pipelines are not',
  async () => {
    const { client } = pipeline;
    const [comparison] = await until('a comparison', async () => {
      const ids = await found(client, 'WorkflowType = "reconcile"');
      return ids.length > 0 && ids;
    });
    const { taskQueue } = await client.workflow.getHandle(comparison!).describe();
    const start = (workflowId: string, type: string, queue: string): Promise<unknown> =>
      client.workflow.start(type, { workflowId, taskQueue: queue });
    await start('load/histories/nonsense', 'nonsense', taskQueue);
    await start('load/histories/nobody', 'loadBatch', 'nobody');
    await start('reconcile/histories-2026-11-24T12:00:00Z', 'reconcile', 'nobody');
    await start('load/histories-eu/nobody', 'loadBatch', 'nobody');
    await start('reconcile/histories-eu-2026-11-24T12:00:00Z', 'reconcile', 'nobody');

    const broken = await isStuck('a workflow that cannot be run', ({ workflowId }) => /nonsense/.test(workflowId));
    expect(broken).toMatchObject({
      state: 'failing',
      error: { message: expect.stringContaining('nonsense') as string },
    });
    expect(broken.activity).toBeUndefined();
    await runInShell(broken.command);
    await until('another run', async () => {
      return (await client.workflow.getHandle(broken.workflowId).describe()).runId !== broken.runId;
    });
    await client.workflow.getHandle(broken.workflowId).terminate();

    const report = await until(
      'what no worker takes',
      async () => {
        const now = await stuck();
        return now.stuck.length > 1 && now;
      },
      2 * minutes,
    );
    expect(report.stuck.map(({ workflowId, state, command }) => ({ workflowId, state, command }))).toEqual(
      ['load/histories/nobody', 'reconcile/histories-2026-11-24T12:00:00Z'].map((workflowId) => {
        return { workflowId, state: 'no worker', command: 'npx catchment worker' };
      }),
    );
    const limited = await stuck('--limit', '1');
    expect(limited.workflows.lookedAt).toBe(1);
    expect(limited.workflows.running).toBeGreaterThan(1);
    expect(limited.stuck.map(({ workflowId }) => workflowId)).toEqual(['load/histories/nobody']);
    expect((await cli(['stuck', '--limit', '1'])).stdout).toMatch(/only the 1 that run longest of \d+ were looked at/);
  },
  5 * minutes,
);

test(
  'a namespace that is not there is a wrong call, and a Temporal that is not there is said to be',
  async () => {
    const wrong = await cli(['stuck', '--json'], { TEMPORAL_NAMESPACE: 'none' });
    expect(wrong.status).toBe(2);
    expect(JSON.parse(wrong.stdout)).toMatchObject({
      error: { type: 'ConfigError', message: expect.stringContaining('has no namespace none') as string },
    });
    await pipeline.loseTemporal();
    const gone = await cli(['stuck', '--json']);
    expect(gone.status).toBe(1);
    expect(JSON.parse(gone.stdout)).toMatchObject({
      error: { type: 'Unavailable', message: expect.stringContaining(`Temporal at ${pipeline.address}`) as string },
    });
  },
  2 * minutes,
);

import { execFileSync } from 'node:child_process';
import { renameSync } from 'node:fs';
import { join } from 'node:path';

import { until } from '../until.js';
import { PipelineFolder } from './pipeline-folder.js';
import { temporalProgram } from './temporal.js';
import { activitySummaries, currentDetails, found, pendingOf } from './temporal-reads.js';

const config = `import { defineConfig } from 'catchment';
export default defineConfig({ pipeline: 'test', tables: './tables.ts', lease: '2s', reconcileEvery: '3s' });
`;
const tables = `import { defineTable } from 'catchment';
import { z } from 'zod';

const row = z.object({ n: z.int() });
const of = (kind: string) => ({
  match: (event: { json: { kind?: unknown } }) => event.json?.kind === kind,
  event: z.object({ n: z.number() }),
  row,
  rows: ({ n }) => ({ n }),
});
export const visits = defineTable('visits', of('visit'));
export const orders = defineTable('orders', of('order'));
`;

const minutes = 60_000;
let pipeline: PipelineFolder;

// A server that knows none of our search attributes: they are made by what starts.
beforeAll(async () => {
  pipeline = new PipelineFolder();
  await pipeline.up({ 'catchment.config.ts': config, 'tables.ts': tables });
}, 3 * minutes);
afterAll(() => pipeline.close(), minutes);

async function oneOf(query: string): Promise<string> {
  return until(query, async () => (await found(pipeline.client, query))[0], minutes).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}\n${pipeline.output}`);
  });
}

test(
  'each workflow is found by pipeline, source and table, and says in words what it does',
  async () => {
    await pipeline.send([{ kind: 'visit', n: 1 }]);
    await oneOf('WorkflowType = "loadBatch" AND ExecutionStatus = "Completed"');
    // The first may have been started before the server knew the attributes.
    const events = Array.from({ length: 1_234 }, (_, n) => JSON.stringify({ kind: 'order', n }));
    pipeline.write('events.ndjson', events.join('\n'));
    // One message, and so one batch, of all of them.
    await pipeline.run('send', join(pipeline.dir, 'events.ndjson'));

    const load = await oneOf(
      'CatchmentPipeline = "test" AND CatchmentTables = "orders" AND ExecutionStatus = "Completed"',
    );
    expect(load).toMatch(/^load\/test\//);
    const loading = pipeline.client.workflow.getHandle(load);
    expect(await (await loading.describe()).staticSummary()).toMatch(/^1,234 events of 1 lake object → the tables$/);
    expect(await activitySummaries(loading)).toEqual([
      expect.stringMatching(/^transform: .*1,234 events/),
      expect.stringMatching(/^load: .*1,234 rows.* orders/),
      expect.stringMatching(/^loadEmpty: ./),
    ]);
    expect(await currentDetails(loading)).toMatch(/1,234 events.*- orders: 1,234 rows/s);

    const ingest = await oneOf(
      'CatchmentSource = "app" AND WorkflowType = "ingestBatch" AND ExecutionStatus = "Completed"',
    );
    const ingesting = pipeline.client.workflow.getHandle(ingest);
    const to = String.raw`raw/app/dt=\d{4}-\d\d-\d\d/hr=\d\d/`;
    expect(await (await ingesting.describe()).staticSummary()).toMatch(
      new RegExp(`^1,234 events, 0\\.\\d MB of app → ${to}$`),
    );
    expect(await activitySummaries(ingesting)).toEqual([
      expect.stringMatching(new RegExp(`^persist: persist 1,234 events, 0\\.\\d MB → ${to}$`)),
      expect.stringMatching(new RegExp(`^relay: ring for ${to}[-0-9a-f]{36}_1234_[0-9a-f]{32}\\.ndjson\\.gz$`)),
    ]);
    expect(await currentDetails(ingesting)).toMatch(new RegExp(`^1,234 events.* of app are in ${to}.*queue knows$`));

    const comparison = await oneOf('WorkflowType = "reconcile" AND WorkflowId STARTS_WITH "reconcile/test-"');
    const comparing = await pipeline.client.workflow.getHandle(comparison).describe();
    expect(await comparing.staticSummary()).toBe('lake and manifests, over the last days');

    expect(await found(pipeline.client, 'CatchmentTables = "visits" AND CatchmentTables = "orders"')).toEqual([]);
    expect(await found(pipeline.client, 'CatchmentPipeline = "another"')).toEqual([]);
  },
  3 * minutes,
);

test(
  'what cannot be stored is seen waiting, with attempt and true error, and goes on by itself once that is mended',
  async () => {
    const lake = join(pipeline.dataDir, 'lake');
    renameSync(lake, `${lake}.away`);
    try {
      await pipeline.send([{ kind: 'visit', n: 2 }]);
      const running = await oneOf(
        'CatchmentPipeline = "test" AND WorkflowType = "ingestBatch" AND ExecutionStatus = "Running"',
      );
      const handle = pipeline.client.workflow.getHandle(running);
      const pending = await until('a second attempt', async () => {
        const [activity] = pendingOf(await handle.describe());
        return activity !== undefined && activity.attempt > 1 && activity.error !== '' && activity;
      });
      expect(pending).toMatchObject({ activity: 'persist', type: 'Unavailable' });
      expect(pending.error).toBe(
        `the lake at ${lake} is not there any more; mount or restore it, or, if it was deleted on purpose, delete ${lake}.folder and start again`,
      );
      expect(await currentDetails(handle)).toMatch(
        /^1 event, .*of app: being written to .*; the source queue has them until then$/,
      );
      expect(described(running)).toMatch(/Type +persist\n[^]*is not there any more.*Unavailable/);

      renameSync(`${lake}.away`, lake);
      expect(await handle.result()).toBe('stored');
      expect(await currentDetails(handle)).toMatch(/the secondary queue knows$/);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${pipeline.output}`, { cause: error });
    }
    await until(
      'the event in its table',
      async () => (await pipeline.query('SELECT n FROM visits WHERE n = 2')).length === 1,
      minutes,
    );
  },
  3 * minutes,
);

/** As an operator sees it in a terminal. */
function described(workflowId: string): string {
  const args = ['workflow', 'describe', '--workflow-id', workflowId, '--address', pipeline.address];
  return execFileSync(temporalProgram, args, { encoding: 'utf8' });
}

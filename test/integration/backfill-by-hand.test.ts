import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { dataId } from '../../src/config/data-id.js';
import { loadSettings } from '../../src/config/load.js';
import { taskQueue } from '../../src/names.js';
import { startCli } from '../run-cli.js';
import { until } from '../until.js';
import { PipelineFolder } from './pipeline-folder.js';
import { temporalProgram } from './temporal.js';

const execFileLater = promisify(execFile);

const config = `import { defineConfig } from 'catchment';
export default defineConfig({ pipeline: 'app', tables: './tables.ts' });
`;
const tables = `import { defineTable } from 'catchment';
import { z } from 'zod';

const number = { event: z.object({ n: z.number() }), row: z.object({ n: z.int() }) };
export const visits = defineTable('visits', { ...number, rows: ({ n }) => ({ n }) });
`;

const workflowId = 'backfill/app/visits';
const minutes = 60_000;
let pipeline: PipelineFolder;

beforeAll(async () => {
  pipeline = new PipelineFolder();
  await pipeline.up({ 'catchment.config.ts': config, 'tables.ts': tables });
  await pipeline.send(Array.from({ length: 30 }, (_, n) => ({ n })));
  await pipeline.run('status', '--wait', '--timeout', '60s');
}, 3 * minutes);
afterAll(() => pipeline.close(), minutes);

/** What `temporal` answers, as an operator asks it. */
async function temporal<Answer>(...args: readonly string[]): Promise<Answer> {
  const asked = [...args, '--address', pipeline.address, '-o', 'json'];
  const { stdout } = await execFileLater(temporalProgram, asked);
  return JSON.parse(stdout === '' ? 'null' : stdout) as Answer;
}

const progress = async (): Promise<{ paused: boolean; objects: number; notUnderstood?: string }> => {
  const answer = await temporal<{ queryResult: [{ paused: boolean; objects: number; notUnderstood?: string }] }>(
    'workflow',
    'query',
    '--workflow-id',
    workflowId,
    '--name',
    'progress',
  );
  return answer.queryResult[0];
};
const signal = (name: string, input: object = {}): Promise<unknown> =>
  temporal('workflow', 'signal', '--workflow-id', workflowId, '--name', name, '--input', JSON.stringify(input));
const ends = (): Promise<{ status: string; result: { objects: number; events: number } }> =>
  temporal('workflow', 'result', '--workflow-id', workflowId);
const versions = (): Promise<unknown> =>
  pipeline.query('SELECT count(*)::INTEGER AS rows, count(DISTINCT _loaded_at)::INTEGER AS loads FROM visits');

test(
  'a backfill is started, widened, held, asked, let go on and cancelled by the temporal command alone',
  async () => {
    const settings = await loadSettings({ config: pipeline.dir, dir: pipeline.dir });
    const queue = taskQueue('app', await dataId(settings));
    const start = (input: object): Promise<unknown> =>
      temporal(
        ...['workflow', 'start', '--type', 'backfill', '--workflow-id', workflowId, '--task-queue', queue],
        ...['--input', JSON.stringify(input)],
      );
    await start({ table: 'visits' });
    expect(await ends()).toMatchObject({ result: { objects: 0, events: 0 } });

    await start({ table: 'visits', ask: { mode: 'replace', again: true } });
    expect((await ends()).result.events).toBe(30);
    expect(await versions()).toEqual([{ rows: 30, loads: 1 }]);

    await start({ table: 'visits', ask: [] });
    await ends();
    await pipeline.run('backfill', 'pause', '--table', 'visits');
    await until('that it is held', async () => (await progress()).paused, minutes);
    await signal('widen', { mode: 'replace', from: '2020-01-01', to: '2999-01-01T00', again: true });
    await signal('widen', { mode: 'unheard of' });
    await until('that it says so', async () => (await progress()).notUnderstood?.includes('unheard of'), minutes);
    expect(await progress()).toMatchObject({ paused: true, objects: 0 });
    await signal('resume');
    expect((await ends()).result.events).toBe(30);

    await pipeline.run('backfill', 'pause', '--table', 'visits');
    await signal('widen', { mode: 'replace', again: true });
    await signal('cancel');
    await signal('resume');
    expect((await ends()).result.events).toBe(0);
    expect(await versions()).toEqual([{ rows: 30, loads: 1 }]);
  },
  3 * minutes,
);

test(
  'while Temporal is away, whoever follows one is told so on stderr, and stdout stays the answer alone',
  async () => {
    await pipeline.run('backfill', 'pause', '--table', 'visits');
    const call = ['backfill', '--table', 'visits', '--json', '--config', pipeline.dir, '--dir', pipeline.dir];
    const following = startCli(call, { cwd: pipeline.dir, env: { TEMPORAL_ADDRESS: pipeline.address } });
    let told = '';
    following.stderr!.on('data', (text: Buffer) => (told += text.toString()));
    await until('that it is paused', () => told.includes('is paused'), minutes);
    await pipeline.loseTemporal();
    await until('that it says so', () => told.includes('Temporal does not answer'), minutes);
    following.kill('SIGINT');
    const { status, stdout } = await following.result;
    expect({ status, answer: JSON.parse(stdout) as unknown }).toMatchObject({ status: 1, answer: { ended: null } });
  },
  2 * minutes,
);

// Saves the histories that test/replay.test.ts replays: runs a pipeline that meets faults (test/histories/pipeline.config.ts)
// and keeps one run of each kind. To be run when a workflow changes so that its old histories are no longer promised:
//     npm run build && node scripts/save-histories.mjs
// Those of earlier workers that are still promised stay beside them, under names that it does not write.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

const root = join(import.meta.dirname, '..');
const histories = join(root, 'test', 'histories');
const dir = mkdtempSync(join(tmpdir(), 'catchment-histories-'));
const where = ['--config', join(histories, 'pipeline.config.ts'), '--dir', dir];
const program = [process.execPath, join(root, 'dist', 'cli', 'main.js')];

const ports = ['--temporal-port', '0', '--ui-port', '0'];
const dev = spawn(program[0], [program[1], 'dev', ...where, ...ports, '--supervised', '--json'], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const ended = new Promise((resolve) => dev.once('close', resolve));
let connection;
try {
  const up = new Promise((resolve) => createInterface({ input: dev.stdout }).once('line', resolve));
  const record = await Promise.race([up, ended]);
  if (typeof record !== 'string') throw new Error('catchment dev did not start');
  connection = await Connection.connect({ address: JSON.parse(record).temporalAddress });
  await run(new Client({ connection }));
} finally {
  await connection?.close();
  dev.stdin.end();
  await ended;
  rmSync(dir, { recursive: true });
}

async function run(client) {
  await send(5);
  await command('status', '--wait');
  await save('ingest-stored', await finished('ingestBatch'));
  await save('load-loaded', await finished('loadBatch'));
  await save('reconcile-ok', await finished('reconcile', ({ ok, gaps }) => ok && gaps.length === 0));

  await send(5, { odd: 'no uuid' });
  await command('status', '--wait');
  await save('load-refused', await finished('loadBatch', async (_, handle) => did(handle, 'rejectRefused')));

  const lakeDown = fault('lake-down');
  await send(5);
  await until('a persist that fails', async () =>
    (await running('ingestBatch')).some(({ raw }) => raw.pendingActivities?.some(({ attempt }) => attempt > 1)),
  );
  process.kill(JSON.parse(readFileSync(join(dir, '.catchment', 'dev.json'), 'utf8')).processes.poll.pid, 'SIGKILL');
  await save('ingest-returned', await finished('ingestBatch', (result) => result === 'returned'));
  lakeDown.mend();
  await command('status', '--wait');

  const refused = fault('refuse-orders');
  await send(5);
  await save('load-handed-over', await finished('loadBatch', ({ handedOver }) => handedOver.length > 0));
  refused.mend();
  await command('status', '--wait');

  // No doorbell rings for these: one page of small objects, of which one fails alone, and a page for each large one.
  const silent = fault('drop-doorbells');
  const onlySeven = fault('refuse-orders', 7);
  const before = await lakeObjects();
  for (const [index, events] of [6, 7, 8, 30_000, 30_001].entries()) {
    await send(events);
    await until('a stored object', async () => (await lakeObjects()) > before + index);
  }
  silent.mend();
  await save('reconcile-gaps', await finished('reconcile', ({ gaps }) => gaps.length === 4));
  const backfill = client.workflow.getHandle('backfill/histories/orders');
  const pending = async () => (await backfill.describe()).raw.pendingActivities ?? [];
  await until('the one object failing again', async () => {
    const { objects } = await backfill.query('progress');
    return objects >= 4 && (await pending()).some(({ attempt }) => attempt > 2);
  });
  await backfill.signal('pause');
  onlySeven.mend();
  await until('the pause', async () => (await pending()).length === 0);
  await backfill.signal('resume');
  await backfill.result();
  await save('backfill-pages', backfill);

  await command('backfill', '--table', 'orders', '--replace', '--again');
  await save('backfill-anew', backfill);

  // Held in the middle of its pages, then cancelled: what it let go of is in the history.
  const down = fault('refuse-orders');
  await command('backfill', '--table', 'orders', '--replace', '--again', '--detach');
  await until('a load failing again', async () => (await pending()).some(({ attempt }) => attempt > 2));
  await backfill.signal('pause');
  await until('the pause', async () => (await backfill.query('progress')).paused);
  await command('backfill', 'cancel', '--table', 'orders');
  await backfill.signal('resume');
  await backfill.result();
  down.mend();
  await save('backfill-cancelled', backfill);

  /** The newest run of this type that ended as `wanted`. */
  async function finished(type, wanted = () => true) {
    let found;
    await until(`${type} that ends so`, async () => {
      const query = `WorkflowType = '${type}' AND ExecutionStatus = 'Completed'`;
      for await (const { workflowId, runId } of client.workflow.list({ query })) {
        const handle = client.workflow.getHandle(workflowId, runId);
        if (await wanted(await handle.result(), handle)) found = handle;
        if (found !== undefined) return true;
      }
    });
    return found;
  }

  async function did(handle, activity) {
    const { events } = await handle.fetchHistory();
    return events.some((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === activity);
  }

  async function running(type) {
    const query = `WorkflowType = '${type}' AND ExecutionStatus = 'Running'`;
    const runs = [];
    for await (const { workflowId, runId } of client.workflow.list({ query }))
      runs.push(await client.workflow.getHandle(workflowId, runId).describe());
    return runs;
  }
}

async function save(name, handle) {
  const json = historyToJSON(await handle.fetchHistory());
  const history = JSON.parse(json.replaceAll(hostname(), 'host'));
  writeFileSync(join(histories, `${name}.json`), `${JSON.stringify(history, undefined, 1)}\n`);
  console.log(`${name}: ${history.events.length} events`);
}

async function lakeObjects() {
  return JSON.parse(await command('status', '--json')).lake.objects;
}

/** A file that the config looks for. */
function fault(name, content = '') {
  const file = join(dir, name);
  writeFileSync(file, `${content}`);
  return { mend: () => rmSync(file) };
}

/** The last of them has `more` besides its number. */
async function send(events, more) {
  const all = Array.from({ length: events }, (_, n) => ({ n, ...(n === events - 1 && more) }));
  await command('send', '-', { input: all.map((event) => `${JSON.stringify(event)}\n`).join('') });
}

async function command(...args) {
  const { input = '' } = typeof args.at(-1) === 'object' ? args.pop() : {};
  const child = spawn(program[0], [program[1], ...args, ...where], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(input);
  const closed = new Promise((resolve) => child.once('close', resolve));
  const output = await text(child.stdout);
  const status = await closed;
  if (status !== 0) throw new Error(`catchment ${args.join(' ')} ended with status ${status}\n${output}`);
  return output;
}

async function until(what, holds) {
  const deadline = Date.now() + 180_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await sleep(300);
  }
}

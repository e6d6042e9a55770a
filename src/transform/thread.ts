import { syncBuiltinESMExports } from 'node:module';
import { workerData, type Transferable } from 'node:worker_threads';

import { loadSettings, loadTables } from '../config/load.js';
import type { Table } from '../tables.js';
import { Progress, toFailure, type Answer, type Job, type Loaded, type ThreadData } from './messages.js';
import { transformObject } from './work.js';

const data = workerData as ThreadData;
const progress = new Progress(data.progress);
const { port } = data;

// The one call of a thread's that ends the whole process, and with it the work of all tables.
process.kill = () => {
  throw new Error('process.kill is not for tables');
};
syncBuiltinESMExports();
// Identities and rows are written with it, also those of other tables.
Object.freeze(JSON);
// What user code prints may hold events. Sent on to be dropped, it would pile up while that code runs.
process.stdout.write = process.stderr.write = () => true;

// A promise that user code let go, or a timer of its, may fail while another event is in hand: it must not cost that one.
process.on('unhandledRejection', () => undefined);
process.on('uncaughtException', () => undefined);

let tables: ReadonlyMap<string, Table>;
try {
  const settings = await loadSettings({ config: data.config, dir: data.dir });
  tables = new Map((await loadTables(settings)).map((table) => [table.name, table]));
  port.on('message', (job: Job) => void answer(job));
  post({ tables: [...tables.values()].map((table) => table.shape) });
} catch (error) {
  post({ failure: toFailure(error) });
}

function post(message: Loaded | Answer, transfer: readonly Transferable[] = []): void {
  port.postMessage(message, transfer);
}

async function answer(job: Job): Promise<void> {
  try {
    const files = await transformObject(job, tables, progress);
    const made = files.flatMap((each) => ('slowMs' in each ? [] : [each.rows, each.rejections]));
    const bodies = made.flatMap((file) => file?.body.buffer ?? []);
    post({ files }, bodies as ArrayBuffer[]);
  } catch (error) {
    post({ failure: toFailure(error) });
  } finally {
    progress.at(0, 0);
  }
  // What user code keeps from object to object grows without an end; a new thread starts with none of it.
  const { heapUsed, external } = process.memoryUsage();
  if (heapUsed + external > data.memoryMb * 2 ** 20) process.exit();
}

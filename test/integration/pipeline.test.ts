import { join } from 'node:path';

import { DuckDBInstance } from '@duckdb/node-api';

import { newId } from '../../src/ids.js';
import { objectKey } from '../../src/keys.js';
import { encodeBatch } from '../../src/starter/encode.js';
import { until } from '../until.js';
import { PipelineFolder } from './pipeline-folder.js';

const config = `import { defineConfig } from 'catchment';
export default defineConfig({
  pipeline: 'test',
  tables: './tables.ts',
  lease: '2s',
  reconcileEvery: '3s',
});
`;
const tables = `import { defineTable } from 'catchment';
import { z } from 'zod';

const number = { event: z.object({ n: z.number() }), row: z.object({ n: z.int() }) };
export const visits = defineTable('visits', { ...number, rows: ({ n }) => ({ n }) });
export const orders = defineTable('orders', { ...number, rows: ({ n }) => ({ n }) });
`;

const minutes = 60_000;
let pipeline: PipelineFolder;
/** Events sent so far: each has the next number. */
let sent = 0;

beforeAll(async () => {
  pipeline = new PipelineFolder();
  await pipeline.up({ 'catchment.config.ts': config, 'tables.ts': tables });
}, 3 * minutes);
afterAll(() => pipeline.close(), minutes);

async function send(count: number): Promise<void> {
  await pipeline.send(Array.from({ length: count }, () => ({ n: sent++ })));
}

async function numbersIn(table: string): Promise<number[]> {
  return (await pipeline.query(`SELECT n FROM ${table} ORDER BY n`)).map(({ n }) => Number(n));
}

/** Waits until the table has a row for each event that was sent, and no other. */
async function loaded(...names: string[]): Promise<void> {
  for (const table of names) {
    await until(
      `all in ${table}`,
      async () => Number((await pipeline.query(`SELECT count(*) AS rows FROM ${table}`))[0]!['rows']) >= sent,
      2 * minutes,
    ).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}\n${pipeline.output}`);
    });
    expect(await numbersIn(table)).toEqual(Array.from({ length: sent }, (_, n) => n));
  }
}

async function backlog(): Promise<number> {
  const { waiting, leased } = await pipeline.withSource((queue) => queue.backlog());
  return waiting + leased;
}

async function backfillOf(table: string): Promise<string | undefined> {
  const handle = pipeline.client.workflow.getHandle(`backfill/test/${table}`);
  return handle.describe().then(
    ({ status }) => status.name,
    () => undefined,
  );
}

test(
  'events in, rows out',
  async () => {
    await send(200);
    await loaded('visits', 'orders');
    expect(await backlog()).toBe(0);
  },
  3 * minutes,
);

test(
  'an object that never rang is found and loaded, with no command',
  async () => {
    const batch = newId();
    const deliveries = Array.from({ length: 5 }, () => {
      return { id: newId(), body: Buffer.from(JSON.stringify({ n: sent++ })), attributes: {}, sentAt: new Date() };
    });
    const { body, sha256, events } = await encodeBatch({ source: 'app', batch, dedupeMs: 1_000, deliveries });
    await pipeline.lake.put(objectKey({ source: 'app', batch, events, hash: sha256.slice(0, 32) }), body);
    await loaded('visits', 'orders');
  },
  3 * minutes,
);

test(
  'tables that cannot be read do not stop ingestion, and are enough when they are mended',
  async () => {
    await pipeline.stop('worker');
    pipeline.write('tables.ts', `${tables}\nexport const broken = (;\n`);
    pipeline.start('worker');
    const before = await numbersIn('visits');
    await send(100);
    await until('an empty source', async () => (await backlog()) === 0, minutes);
    let events = 0;
    for await (const { key } of pipeline.lake.list('raw/')) events += Number(/_(\d+)_/.exec(key)![1]);
    expect(events).toBeGreaterThanOrEqual(sent);
    expect(await numbersIn('visits')).toEqual(before);
    pipeline.write('tables.ts', tables);
    await loaded('visits', 'orders');
  },
  4 * minutes,
);

test(
  'a table whose column was renamed by hand is handed over, the other stays fresh; renamed back it heals',
  async () => {
    await pipeline.stop('worker');
    await changeByHand('ALTER TABLE orders RENAME COLUMN n TO m');
    pipeline.start('worker');
    await send(50);
    await loaded('visits');
    await until('the backfill of orders', async () => (await backfillOf('orders')) === 'RUNNING', minutes);
    await send(50);
    await loaded('visits');
    expect(await backfillOf('visits')).not.toBe('RUNNING');
    expect(await backfillOf('orders')).toBe('RUNNING');

    await pipeline.stop('worker');
    await changeByHand('ALTER TABLE orders RENAME COLUMN m TO n');
    pipeline.start('worker');
    await loaded('visits', 'orders');
    await until('the end of the backfill', async () => (await backfillOf('orders')) === 'COMPLETED', 2 * minutes);
  },
  8 * minutes,
);

async function changeByHand(sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(join(pipeline.dataDir, 'warehouse.duckdb'));
  const connection = await instance.connect();
  await connection.run(sql);
  connection.closeSync();
  instance.closeSync();
}

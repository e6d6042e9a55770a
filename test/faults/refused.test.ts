import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

import { kill } from '../integration/dev-harness.js';
import { until } from '../until.js';
import { Pipeline } from './pipeline.js';

interface Tables {
  readonly ok: boolean;
  readonly tables: Record<string, { matched: number; rows: number; rejected: number; rowsTwice: number }>;
}

const pipeline = new Pipeline(join(import.meta.dirname, 'config', 'refused.config.ts'));
afterAll(() => pipeline.close());

/** In values that DuckDB quotes when it refuses them. */
const planted = 'PLANTED';

let sent = 0;
/** One message, and so one lake object: some of its values only the warehouse refuses. */
async function send(events: number, isBad: (index: number) => boolean): Promise<void> {
  const lines = Array.from({ length: events }, (_, index) => {
    const odd = isBad(index) ? `${planted} ${index}` : randomUUID();
    return `${JSON.stringify({ n: sent++, odd })}\n`;
  });
  expect(await pipeline.run(['send', '-'], lines.join(''))).toMatchObject({ status: 0 });
}

async function rows(sql: string): Promise<Record<string, unknown>[]> {
  const { answer } = await pipeline.run(['query', sql]);
  return answer['rows'] as Record<string, unknown>[];
}

const counted = async (sql: string): Promise<unknown> => (await rows(`SELECT count(*) AS n FROM ${sql}`))[0]!['n'];

test('a value that only the warehouse refuses is one rejection, though the worker is killed while it is looked for', async () => {
  await pipeline.start();
  const probed = pipeline.stopAt('probed');
  await send(300, (index) => index % 100 === 7);
  kill((await probed).pid, 'SIGKILL');
  await pipeline.settle();

  expect(await rows(`SELECT n FROM judged ORDER BY n`)).toEqual(
    Array.from({ length: 300 }, (_, n) => ({ n })).filter(({ n }) => n % 100 !== 7),
  );
  expect(await rows('SELECT table_name, line, reason FROM catchment_rejected ORDER BY line')).toEqual(
    [8, 108, 208].map((line) => ({ table_name: 'judged', line, reason: 'odd: DuckDB does not take it as uuid' })),
  );
  const { answer } = await pipeline.run(['reconcile']);
  const { ok, tables } = answer as unknown as Tables;
  expect(ok).toBe(true);
  expect(tables).toMatchObject({
    judged: { matched: 300, rows: 297, rejected: 3, rowsTwice: 0 },
    plain: { matched: 300, rows: 300, rejected: 0, rowsTwice: 0 },
  });
  await nothingLeaks();
}, 120_000);

test('more than a hundred of them are the table’s fault: it is handed over with the error, nothing is rejected, others load', async () => {
  await send(160, (index) => index < 101);
  await until('the other table', async () => (await counted('plain')) === 460, 60_000);
  const query = ['workflow', 'query', '--workflow-id', 'backfill/refused/judged', '--type', 'progress'];
  await until(
    'the error at the backfill',
    async () => JSON.stringify(await pipeline.temporal(query).catch(() => '')).includes('more than 100 events'),
    60_000,
  );
  expect([await counted('judged'), await counted('catchment_rejected')]).toEqual([297, 3]);

  // The next load, without any of them, is late by what its table's failure keeps it waiting, and not lost.
  await send(10, () => false);
  await until('the later events', async () => (await counted('judged')) === 307, 60_000);
  expect(await counted('catchment_rejected')).toBe(3);
  await nothingLeaks();
}, 180_000);

/** Neither in what the processes said, nor in any history. */
async function nothingLeaks(): Promise<void> {
  expect(pipeline.output).not.toContain(planted);
  const listed = (await pipeline.temporal(['workflow', 'list'])) as { execution: { workflowId: string } }[];
  expect(listed.length).toBeGreaterThan(1);
  let text = '';
  for (const { execution } of listed) {
    const history = await pipeline.temporal(['workflow', 'show', '--workflow-id', execution.workflowId]);
    text += JSON.stringify(history, (_, value: unknown) =>
      typeof value === 'string' ? `${value} ${Buffer.from(value, 'base64').toString('utf8')}` : value,
    );
  }
  // A table's name stands in payloads alone, which are base64.
  expect(text.includes('"table":"judged"') || text.includes('\\"table\\":\\"judged\\"')).toBe(true);
  expect(text.includes(planted)).toBe(false);
}

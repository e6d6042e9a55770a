import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { DuckDBInstance } from '@duckdb/node-api';

import { documentedMetrics } from '../metrics/page.js';
import { scrape, servedAt, type Scrape } from '../metrics/scrape.js';
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
/** A negative number is refused with all of the event in the error. */
const tables = `import { defineTable } from 'catchment';
import { z } from 'zod';

const number = { event: z.object({ n: z.number(), secret: z.string() }), row: z.object({ n: z.int() }) };
const rows = ({ n, secret }) => {
  if (n < 0) throw new Error(secret);
  return { n };
};
export const visits = defineTable('visits', { ...number, rows });
export const orders = defineTable('orders', { ...number, rows });
`;
const marker = 'Ma5rker';

const minutes = 60_000;
let pipeline: PipelineFolder;
/** All that was ever served, to look for what must not be there. */
const served: string[] = [];
let sent = 0;

beforeAll(async () => {
  pipeline = new PipelineFolder();
  await pipeline.open({ 'catchment.config.ts': config, 'tables.ts': tables });
  await pipeline.run('migrate');
  pipeline.start('worker', '--metrics-port', '127.0.0.1:0');
  pipeline.start('poll', '--metrics-port', '0');
}, 3 * minutes);
afterAll(() => pipeline.close(), minutes);

async function metricsOf(part: 'worker' | 'poll'): Promise<Scrape> {
  const url = await until(`the port of ${part}`, () => servedAt(pipeline.output, part));
  const seen = await scrape(url.replace('0.0.0.0', '127.0.0.1'));
  served.push(seen.text);
  return seen;
}

async function shows(what: string, part: 'worker' | 'poll', look: (seen: Scrape) => boolean): Promise<Scrape> {
  return until(
    what,
    async () => {
      const seen = await metricsOf(part);
      if (look(seen)) return seen;
      // They change each second at most: what is asked is not to be held up by the asking.
      await sleep(200);
      return undefined;
    },
    minutes,
  ).catch(async (error: unknown) => {
    const { text } = await metricsOf(part);
    throw new Error(`${(error as Error).message}\n${text}\n${pipeline.output}`);
  });
}

async function send(count: number): Promise<void> {
  await pipeline.send(Array.from({ length: count }, () => ({ n: sent++, secret: marker })));
}

test(
  'events in: counts of both processes, scraped meanwhile',
  async () => {
    const scraping = new AbortController();
    const scrapes = (async () => {
      let times = 0;
      for (; !scraping.signal.aborted; times++) {
        await Promise.all([metricsOf('worker'), metricsOf('poll')]);
        await sleep(100);
      }
      return times;
    })().catch(() => 0);
    for (let round = 0; round < 5; round++) await send(100);
    await pipeline.send([{ n: -1, secret: marker }]);
    const tables = ['visits', 'orders'];
    const poll = await shows(
      'all stored',
      'poll',
      ({ value }) =>
        value('catchment_stored_events_total') === 501 &&
        value('catchment_batch_events_sum', { source: 'app' }) === 501 &&
        value('catchment_held_events', { source: 'app' }) === 0,
    );
    await shows('all loaded', 'worker', ({ value }) =>
      tables.every(
        (table) =>
          value('catchment_loaded_rows_total', { table }) === 500 &&
          value('catchment_rejected_events_total', { table }) === 1,
      ),
    );
    scraping.abort();
    expect(await scrapes).toBeGreaterThan(3);

    expect(poll.value('catchment_batch_events_count')).toBeGreaterThanOrEqual(1);
    expect(poll.value('catchment_batch_bytes_sum')).toBeGreaterThan(501 * 100);
    const reconciled = await shows('a comparison of all', 'worker', ({ value }) =>
      tables.every(
        (table) =>
          value('catchment_table_rows', { table }) === 500 && value('catchment_table_rejections', { table }) === 1,
      ),
    );
    expect(reconciled.value('catchment_reconcile_ok')).toBe(1);
    const ended = reconciled.value('catchment_reconcile_timestamp_seconds')!;
    expect(Math.abs(ended - Date.now() / 1_000)).toBeLessThan(60);
    expect(reconciled.value('catchment_reconcile_proved_until_timestamp_seconds')).toBeLessThan(ended);
    await shows(
      'no age',
      'worker',
      ({ value }) => value('catchment_freshness_seconds') === 0 && value('catchment_unloaded_objects') === 0,
    );
  },
  3 * minutes,
);

test(
  'a lake that is away: attempts that fail, events that are held and wait, ages that grow',
  async () => {
    const lake = join(pipeline.dataDir, 'lake');
    renameSync(lake, `${lake}-away`);
    await send(20);
    await shows(
      'failures of persist',
      'poll',
      ({ value }) => (value('catchment_activity_failures_total', { activity: 'persist' }) ?? 0) > 1,
    );
    const held = await shows(
      'what is held',
      'poll',
      ({ value }) => value('catchment_held_events', { source: 'app' }) === 20,
    );
    expect(held.value('catchment_held_bytes', { source: 'app' })).toBeGreaterThan(0);
    await shows('its silence', 'worker', ({ value }) => value('catchment_part_up', { part: 'lake' }) === 0);
    await shows(
      'an age that grows',
      'worker',
      ({ value }) => value('catchment_freshness_seconds', { table: 'visits' })! > 1,
    );
    await shows(
      'what waits',
      'poll',
      ({ value }) => value('catchment_queue_oldest_message_seconds', { queue: 'app' })! > 1,
    );
    renameSync(`${lake}-away`, lake);
    await shows(
      'all loaded',
      'worker',
      ({ value }) => value('catchment_loaded_rows_total', { table: 'orders' }) === 520,
    );
    await shows(
      'an empty source',
      'poll',
      ({ value }) => value('catchment_queue_oldest_message_seconds', { queue: 'app' }) === 0,
    );
  },
  3 * minutes,
);

test(
  'a table that refuses rows: failures, hand-overs and its age grow, the other stays fresh',
  async () => {
    await pipeline.stop('worker');
    await changeByHand('ALTER TABLE orders RENAME COLUMN n TO m');
    const old = servedAt(pipeline.output, 'worker');
    pipeline.start('worker', '--metrics-port', '127.0.0.1:0');
    await until('the new port', () => servedAt(pipeline.output, 'worker') !== old);
    await send(20);
    await shows('a hand-over', 'worker', ({ value }) => value('catchment_hand_overs_total', { table: 'orders' })! > 0);
    const before = await shows(
      'its age alone',
      'worker',
      ({ value }) =>
        value('catchment_freshness_seconds', { table: 'orders' })! > 5 &&
        value('catchment_freshness_seconds', { table: 'visits' }) === 0 &&
        value('catchment_loaded_rows_total', { table: 'visits' }) === 20,
    );
    expect(before.value('catchment_activity_failures_total', { activity: 'load' })).toBeGreaterThanOrEqual(3);
    expect(before.value('catchment_unloaded_objects', { table: 'orders' })).toBeGreaterThanOrEqual(1);
    expect(before.value('catchment_loaded_rows_total', { table: 'orders' })).toBe(0);
    const age = before.value('catchment_freshness_seconds', { table: 'orders' })!;
    await shows(
      'a greater age',
      'worker',
      ({ value }) => value('catchment_freshness_seconds', { table: 'orders' })! > age,
    );
    expect(before.value('catchment_oldest_unloaded_object_seconds')).toBeCloseTo(age, 1);
  },
  3 * minutes,
);

test(
  'the page has all that is served, and all that it has is served; no byte of an event is',
  async () => {
    await pipeline.loseTemporal();
    await send(1);
    for (const [part, metric] of [
      ['worker', 'temporal_long_request_failure_total'],
      ['poll', 'temporal_request_failure_total'],
    ] as const)
      await shows(`Temporal’s own failures of ${part}`, part, ({ value }) => value(metric) !== undefined);
    const { ours, temporals } = documentedMetrics();
    const everywhere = new Set<string>();
    for (const part of ['worker', 'poll'] as const) {
      const { types, samples } = await metricsOf(part);
      for (const name of types.keys()) everywhere.add(name);
      const mine = [...types].filter(([name]) => !name.startsWith('temporal_'));
      const documented = ours
        .filter(({ of }) => of === part || of === 'both')
        .map(({ metric, type }) => [metric, type]);
      expect(mine.toSorted()).toEqual(documented.toSorted());
      for (const { name, labels } of samples) {
        const metric = ours.find((one) => one.metric === name.replace(/_(bucket|sum|count)$/, ''));
        if (metric === undefined) continue;
        const { le: _, ...rest } = labels;
        expect({ name, labels: Object.keys(rest).toSorted() }).toEqual({
          name,
          labels: [...metric.labels, 'pipeline'].toSorted(),
        });
        expect(rest['pipeline']).toBe('test');
      }
    }
    expect(temporals.filter((name) => !everywhere.has(name))).toEqual([]);
    expect(served.filter((text) => text.includes(marker))).toEqual([]);
    expect(pipeline.output).not.toContain(marker);
  },
  3 * minutes,
);

async function changeByHand(sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(join(pipeline.dataDir, 'warehouse.duckdb'));
  const connection = await instance.connect();
  await connection.run(sql);
  connection.closeSync();
  instance.closeSync();
}

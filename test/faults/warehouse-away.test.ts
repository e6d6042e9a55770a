import { join } from 'node:path';

import { until } from '../until.js';
import { begin, end, type Outage } from './config/outages.js';
import { expectedRows } from './events.js';
import { readLake } from './judge-lake.js';
import { Pipeline } from './pipeline.js';
import { whileSending } from './sender.js';
import { held, seenDuring, Watch } from './watch.js';

const patienceMs = 15_000;
/** Ingests that a poller has under way, loads that it has, a backfill a table, and a scheduled and a first reconcile. */
const mostRunning = 4 + 10 + Object.keys(expectedRows).length + 2;

let pipeline: Pipeline;
let watch: Watch | undefined;
beforeEach(() => {
  pipeline = new Pipeline(join(import.meta.dirname, 'config', 'outages.config.ts'));
});
afterEach(async () => {
  await watch?.close();
  await pipeline.close();
});

test.each<[how: string, outage: Outage, events: number]>([
  ['is away', 'away', 100_000],
  ['takes loads and never answers', 'hangs', 20_000],
])(
  'the warehouse %s: few workflows run, all that comes is stored, every doorbell is handed over; when it is back, large loads catch up',
  async (_how, outage, events) => {
    const seen = (watch = await Watch.start(pipeline));
    await until('the tables', () =>
      seen.query('FROM checked').then(
        () => true,
        () => false,
      ),
    );
    begin(pipeline.dataDir, 'warehouse', outage);
    const loads = () =>
      seen.query('SELECT table_name, count(DISTINCT load)::INT AS loads FROM catchment_loads GROUP BY 1');

    const began = performance.now();
    let sent = 0;
    const during = await seenDuring(
      async () => ({ running: await seen.running(), doorbellMs: (await seen.secondary.backlog()).oldestMs ?? 0 }),
      async () => {
        const enough = async (sender: { readonly sent: number }): Promise<void> => {
          await until('the events', () => sender.sent >= events, 90_000);
        };
        sent = await whileSending(pipeline, enough, 3_000);
        await until('all to be stored', async () => (await held(seen.source)) === 0);
        await until('no doorbell', async () => (await held(seen.secondary)) === 0, 60_000);
      },
    );
    const came = performance.now();
    expect(await loads()).toEqual([]);
    const most = (what: 'running' | 'doorbellMs'): number => Math.max(...during.map((one) => one[what]));
    expect(most('running')).toBeLessThanOrEqual(mostRunning);
    expect(most('doorbellMs')).toBeLessThan(2 * patienceMs);
    const stored = readLake(join(pipeline.dataDir, 'lake'));
    expect(stored.reduce((sum, object) => sum + object.events.length, 0)).toBe(sent);

    end(pipeline.dataDir, 'warehouse');
    await pipeline.settle();
    const perSecond = (ms: number): number => Math.round((sent * 1_000) / ms);
    console.log(
      `${sent} events of ${stored.length} objects came at ${perSecond(came - began)}/s, were loaded at ${perSecond(performance.now() - came)}/s; at most ${most('running')} workflows, a doorbell of ${most('doorbellMs')} ms`,
      await loads(),
    );
    for (const table of await loads()) expect(table['loads']).toBeLessThanOrEqual(1 + Math.ceil(sent / 10_000));
    expect((await pipeline.judge()).faults).toEqual([]);
  },
  240_000,
);

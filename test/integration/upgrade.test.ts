import { join } from 'node:path';

import { until } from '../until.js';
import { PipelineFolder } from './pipeline-folder.js';

const configOf = (tables: string): string => `import { defineConfig } from 'catchment';
export default defineConfig({
  pipeline: 'test',
  tables: './${tables}',
  lease: '2s',
  reconcileEvery: '3s',
});
`;

const before = `import { defineTable } from 'catchment';
import { z } from 'zod';

const event = z.object({ n: z.int(), price: z.union([z.number(), z.string()]).optional() });
const part = z.object({ n: z.int(), part: z.int() });
export const parts = defineTable('parts', { event, row: part, rows: ({ n }) => [0, 1, 2].map((part) => ({ n, part })) });
export const wide = defineTable('wide', { event, row: z.object({ n: z.int() }), rows: ({ n }) => ({ n }) });
export const priced = defineTable('priced', {
  event: z.object({ n: z.int().max(1000), price: z.number().optional() }),
  row: z.object({ n: z.int(), price: z.number().optional() }),
  rows: ({ n, price }) => ({ n, price }),
});
export const dropped = defineTable('dropped', { event, row: z.object({ n: z.int() }), rows: ({ n }) => ({ n }) });
export const named = defineTable('named', { event, row: z.object({ n: z.int() }), rows: ({ n }) => ({ n }) });
`;

/** One row where there were three, a new column, a mended contract, a table less, one renamed and one more. */
const after = `import { defineTable } from 'catchment';
import { z } from 'zod';

const event = z.object({ n: z.int(), price: z.union([z.number(), z.string()]).optional() });
const part = z.object({ n: z.int(), part: z.int() });
export const parts = defineTable('parts', { version: 2, event, row: part, rows: ({ n }) => ({ n, part: 9 }) });
export const wide = defineTable('wide', {
  version: 2,
  event,
  row: z.object({ n: z.int(), twice: z.int() }),
  rows: ({ n }) => ({ n, twice: 2 * n }),
});
export const priced = defineTable('priced', {
  event: z.object({ n: z.int().max(1000), price: z.coerce.number().optional() }),
  row: z.object({ n: z.int(), price: z.number().optional() }),
  rows: ({ n, price }) => ({ n, price }),
});
export const renamed = defineTable('renamed', { event, row: z.object({ n: z.int() }), rows: ({ n }) => ({ n }) });
export const added = defineTable('added', { event, row: z.object({ n: z.int() }), rows: ({ n }) => ({ n }) });
`;

const minutes = 60_000;
let pipeline: PipelineFolder;
let next: readonly [string, string];
/** Events sent so far: each has the next number. */
let sent = 0;

beforeAll(async () => {
  pipeline = new PipelineFolder();
  next = ['--config', join(pipeline.dir, 'next.config.ts')];
  await pipeline.open({
    'catchment.config.ts': configOf('before.ts'),
    'before.ts': before,
    'next.config.ts': configOf('after.ts'),
    'after.ts': after,
  });
  await pipeline.run('migrate');
  pipeline.startAs('old worker', 'worker');
  pipeline.startAs('old poller', 'poll');
}, 3 * minutes);
afterAll(() => pipeline.close(), minutes);

const send = (count: number): Promise<void> =>
  pipeline.send(Array.from({ length: count }, () => ({ n: sent++, ...(sent % 10 === 5 && { price: `${sent}` }) })));

const rowsOf = async (table: string): Promise<number> =>
  Number((await pipeline.query(`SELECT count(*) AS rows FROM ${table}`))[0]!['rows']);

interface Reconciled {
  readonly ok: boolean;
  readonly provedUntil: string;
  readonly tables: Record<string, { objectsMissing: number; objectsOutdated: number; rows: number; rejected: number }>;
}

/** What an old worker missed has been found and filled: nothing waits, and all that was sent is in each table of the config. */
async function settled(...config: string[]): Promise<void> {
  await pipeline.run('status', '--wait', '--timeout', '150s', ...config);
}

test(
  'workers of two versions of a config at once: nothing is lost, and what the old ones missed is found and filled',
  async () => {
    await send(40);
    await settled();
    expect(await rowsOf('parts')).toBe(3 * sent);

    // The new tables are made, the new workers come, the old ones stay for a while: doorbells go to either.
    await pipeline.run('migrate', ...next);
    await send(20);
    pipeline.startAs('new worker', 'worker', ...next);
    pipeline.startAs('new poller', 'poll', ...next);
    for (let round = 0; round < 10; round++) {
      await send(10);
      await until('its events', async () => (await rowsOf('wide')) === sent, minutes);
    }
    await pipeline.stop('old poller');
    await pipeline.stop('old worker');
    await send(20);
    await settled(...next);

    // The tables that are no more have what the old workers gave them; nothing waits for them.
    expect(await rowsOf('wide')).toBe(sent);
    expect(await rowsOf('added')).toBe(sent - 40);
    expect(await rowsOf('renamed')).toBe(sent - 40);
    const { tables } = await pipeline.ask<Reconciled>('reconcile', ...next);
    expect(Object.values(tables).map(({ objectsMissing }) => objectsMissing)).toEqual([0, 0, 0, 0, 0]);
    expect(tables['parts']!.objectsOutdated).toBeGreaterThan(0);
    expect(tables['added']!.objectsOutdated).toBe(0);

    // History of a new table is loaded when it is asked for.
    await pipeline.run('backfill', '--table', 'added', '--from', '2020-01-01', ...next);
    expect(await rowsOf('added')).toBe(sent);
  },
  5 * minutes,
);

test(
  'a version that makes one row instead of three leaves none behind, with an old worker beside it and while events come',
  async () => {
    pipeline.startAs('old worker', 'worker');
    const sending = (async () => {
      for (let round = 0; round < 5; round++) await send(10);
    })();
    await pipeline.run('backfill', '--table', 'parts', '--replace', ...next);
    await sending;
    await settled(...next);
    await pipeline.stop('old worker');
    // What the old worker loaded meanwhile is of its version, and made anew like the rest.
    await pipeline.run('backfill', '--table', 'parts', '--replace', ...next);
    await pipeline.run('backfill', '--table', 'wide', '--replace', ...next);
    const parts = await pipeline.query('SELECT part, count(*)::INTEGER AS rows FROM parts GROUP BY part');
    expect(parts).toEqual([{ part: 9, rows: sent }]);
    expect(await pipeline.query('SELECT count(*)::INTEGER AS rows FROM wide WHERE twice = 2 * n')).toEqual([
      { rows: sent },
    ]);
    const { tables } = await pipeline.ask<Reconciled>('reconcile', ...next);
    for (const table of ['parts', 'wide']) expect(tables[table]).toMatchObject({ objectsOutdated: 0, rows: sent });

    // Once more changes nothing, nor does an old worker that is asked.
    const sum = 'SELECT count(*) AS rows, sum(n) AS n, max(_loaded_at) AS at FROM parts';
    const there = await pipeline.query(sum);
    await pipeline.run('backfill', '--table', 'parts', '--replace', ...next);
    pipeline.startAs('old worker', 'worker');
    await pipeline.stop('new worker');
    await pipeline.run('backfill', '--table', 'parts', '--replace');
    await pipeline.run('backfill', '--table', 'parts');
    expect(await pipeline.query(sum)).toEqual(there);
    await pipeline.stop('old worker');
    pipeline.startAs('new worker', 'worker', ...next);
  },
  5 * minutes,
);

test(
  'rejected events are loaded once the contract takes them, by a part of their reason; twice is as once',
  async () => {
    await pipeline.send([{ n: 2_000 }, { n: 2_001, price: '1' }]);
    await settled(...next);
    const reasons = "SELECT count(*) AS events FROM catchment_rejected WHERE table_name = 'priced'";
    const rejected = Number((await pipeline.query(reasons))[0]!['events']);
    const rows = await rowsOf('priced');
    const again = ['backfill', '--table', 'priced', '--rejected', '--reason', 'price', ...next];
    const { loaded } = await pipeline.ask<{ loaded: { objects: number } }>(...again);
    expect(loaded.objects).toBeGreaterThan(0);
    // The two whose number is too big have another reason.
    expect(Number((await pipeline.query(reasons))[0]!['events'])).toBe(2);
    expect(await rowsOf('priced')).toBe(rows + rejected - 2);
    expect(await rowsOf('priced')).toBe(sent);
    expect((await pipeline.ask<{ loaded: { objects: number } }>(...again)).loaded.objects).toBe(0);
    await pipeline.run('backfill', '--table', 'priced', '--rejected', ...next);
    expect(Number((await pipeline.query(reasons))[0]!['events'])).toBe(2);
    expect(await rowsOf('priced')).toBe(sent);
  },
  3 * minutes,
);

test(
  'the backfill of a table that no config has any more can be ended',
  async () => {
    await pipeline.run('backfill', 'pause', '--table', 'dropped');
    await pipeline.run('backfill', 'cancel', '--table', 'dropped', ...next);
    await settled(...next);
  },
  minutes,
);

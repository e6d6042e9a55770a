import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ConfigError, LakeCorrupt, TableMissing, Unavailable, UserCodeError } from '../src/errors.js';
import {
  createTransformer,
  type TableFailure,
  type TableFiles,
  type TableOutcome,
  type Transformer,
} from '../src/transform/transformer.js';
import { lakeObject, linesOf } from './transform-objects.js';

const config = `import { defineConfig } from 'catchment';
export default defineConfig({ pipeline: 'test', tables: './tables.ts' });
`;
/** Two tables: `numbers` does what the event asks of it, `all` takes each event as it comes. */
const tables = `import { defineTable } from 'catchment';
import { z } from 'zod';

const asked: Record<string, () => unknown> = {
  hang: () => { for (;;); },
  never: () => new Promise(() => undefined),
  exit: () => process.exit(0),
  eat: () => { const eaten: unknown[] = []; for (;;) eaten.push(Array.from({ length: 1e5 }, () => ({}))); },
  late: () => { setTimeout(() => { throw new Error('late'); }); void Promise.reject(new Error('let go')); },
  print: () => console.log('SECRET'),
};

export const numbers = defineTable('numbers', {
  version: 3,
  event: z.object({ n: z.number(), does: z.string().optional() }),
  row: z.object({ n: z.int() }),
  rows: async (event) => {
    if (event.does !== undefined) await asked[event.does]?.();
    return { n: event.n };
  },
});

export const all = defineTable('all', { row: z.object({ n: z.int() }), rows: (_json, { event }) => ({ n: event.body.length }) });
`;

let dir: string;
let transformer: Transformer;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'transform-'));
  await writeFile(join(dir, 'catchment.config.ts'), config);
  await writeFile(join(dir, 'tables.ts'), tables);
  transformer = createTransformer({ config: dir, dir }, { deadlineMs: 30_000, memoryMb: 256 });
});

afterEach(async () => {
  await transformer.close();
  await rm(dir, { recursive: true });
});

/** The outcome for the table, which must be no failure. */
function filesOf(table: string, outcomes: readonly TableOutcome[]): TableFiles {
  const outcome = outcomes.find((each) => each.table === table);
  if (outcome === undefined || 'error' in outcome) throw outcome?.error ?? new Error('no outcome');
  return outcome;
}

test('each table gets its files from the thread', async () => {
  const shapes = await transformer.tables();
  expect(shapes.map(({ name, version }) => [name, version]).sort()).toEqual([
    ['all', 1],
    ['numbers', 3],
  ]);
  const request = lakeObject([{ body: { n: 1 } }, { body: 'x' }]);
  const outcomes = await transformer.transform(request);
  const [numbers, all] = [filesOf('numbers', outcomes), filesOf('all', outcomes)];
  expect(numbers).toMatchObject({ version: 3, events: 2, matched: 2, rows: { lines: 1 }, rejections: { lines: 1 } });
  expect(all).toMatchObject({ version: 1, events: 2, matched: 2, rows: { lines: 2 } });
  expect(linesOf(numbers.rows)).toMatchObject([{ _row: 0, _batch: request.batch, n: '1' }]);
  expect(linesOf(numbers.rejections)).toMatchObject([{ line: 2, reason: 'event: expected object' }]);
  expect(linesOf(all.rows)).toMatchObject([{ n: '7' }, { n: '3' }]);
  // The caller keeps the object.
  expect(request.object.length).toBeGreaterThan(0);
});

test('only the tables asked for, in their order, and none that there is not', async () => {
  const request = lakeObject([{ body: { n: 1 } }]);
  for (const tables of [['all', 'numbers'], ['numbers', 'all'], ['all'], []]) {
    const outcomes = await transformer.transform({ ...request, tables });
    expect(outcomes.map(({ table }) => table)).toEqual(tables);
  }
  await expect(transformer.transform({ ...request, tables: ['none'] })).rejects.toThrow(TableMissing);
});

test('several at once', async () => {
  const requests = [1, 2, 3, 4, 5].map((n) => lakeObject([{ body: { n } }]));
  const outcomes = await Promise.all(requests.map((request) => transformer.transform(request)));
  const rows = outcomes.flatMap((each) => linesOf(filesOf('numbers', each).rows));
  expect(rows.map(({ n }) => n)).toEqual(['1', '2', '3', '4', '5']);
});

test('typed errors keep their class and place', async () => {
  const request = { ...lakeObject([{ body: 1 }]), events: 2 };
  const error: unknown = await transformer.transform(request).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(LakeCorrupt);
  expect((error as LakeCorrupt).where).toEqual({ key: request.key });
});

describe('tables that', () => {
  test.each([
    ['do not parse', 'export const = 1;'],
    ['throw', "throw new Error('no');"],
    ['end the thread', 'process.exit(1);'],
    ['are never done', 'await new Promise(() => undefined);'],
  ])('%s are a ConfigError, until they are mended', async (_name, broken) => {
    await writeFile(join(dir, 'tables.ts'), broken);
    await expect(transformer.transform(lakeObject([{ body: 1 }]))).rejects.toThrow(ConfigError);
    await writeFile(join(dir, 'tables.ts'), tables);
    expect(await transformer.tables()).toHaveLength(2);
  });

  test('hang are a ConfigError', async () => {
    await transformer.close();
    await writeFile(join(dir, 'tables.ts'), 'for (;;);');
    transformer = createTransformer({ config: dir, dir }, { loadMs: 500 });
    await expect(transformer.tables()).rejects.toThrow(/took longer than 0.5 s/);
  });
});

describe('user code that', () => {
  test.each([
    ['hangs', 'hang', 1000, 'took longer than 1 s'],
    ['gives a promise that never settles', 'never', 1000, 'took longer than 1 s'],
    ['ends the process', 'exit', 30_000, 'ended the thread (process.exit?)'],
    ['eats memory', 'eat', 30_000, 'needed more than 256 MB of memory'],
  ])('%s costs its own event alone', async (_name, does, deadlineMs, reason) => {
    await transformer.close();
    transformer = createTransformer({ config: dir, dir }, { deadlineMs, memoryMb: 256 });
    const bodies = [{ n: 1 }, { n: 2, does }, { n: 3 }];
    const outcomes = await transformer.transform(lakeObject(bodies.map((body) => ({ body }))));
    const numbers = filesOf('numbers', outcomes);
    expect(linesOf(numbers.rows).map(({ n }) => n)).toEqual(['1', '3']);
    expect(linesOf(numbers.rejections).map(({ line, reason: why }) => [line, why])).toEqual([[2, reason]]);
    expect(filesOf('all', outcomes)).toMatchObject({ matched: 3, rows: { lines: 3 } });
  });

  test('fails after it was done, or prints, costs nothing', async () => {
    const bodies = Array.from({ length: 100 }, (_, n) => ({ n, does: n % 2 === 0 ? 'late' : 'print' }));
    const outcomes = await transformer.transform(lakeObject(bodies.map((body) => ({ body }))));
    expect(filesOf('numbers', outcomes)).toMatchObject({ rows: { lines: 100 } });
  });

  test('ends the thread for three events of an object fails its table, and that alone', async () => {
    const bodies = [1, 2, 3, 4].map((n) => ({ n, does: 'exit' }));
    const request = lakeObject(bodies.map((body) => ({ body })));
    const outcomes = await transformer.transform(request);
    const numbers = outcomes.find(({ table }) => table === 'numbers') as TableFailure;
    expect(numbers.error).toBeInstanceOf(UserCodeError);
    expect(numbers.error.where).toEqual({ table: 'numbers', key: request.key, line: 3 });
    expect(filesOf('all', outcomes)).toMatchObject({ rows: { lines: 4 } });
  });
});

test('what is under way when it closes fails with Unavailable, and so does what comes later', async () => {
  const never = transformer.transform(lakeObject([{ body: { n: 1, does: 'never' } }]));
  const settled = expect(never).rejects.toThrow(Unavailable);
  await transformer.tables();
  await transformer.close();
  await settled;
  await expect(transformer.tables()).rejects.toThrow(Unavailable);
});

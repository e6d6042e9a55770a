import { z } from 'zod';

import { defineTable, type TableDefinition } from '../src/tables.js';

const row = z.object({ user_id: z.string(), price: z.number().optional(), tags: z.array(z.string()) });
const good = { row, rows: () => undefined };

/** As a user of plain JavaScript writes it. */
const define = defineTable as (name: unknown, definition?: unknown) => ReturnType<typeof defineTable>;
const problemsOf = (name: unknown, definition?: unknown): string[] =>
  define(name, definition).problems.map(({ path, message }) => `${path}: ${message}`);

test('a table has its shape, its defaults and no problem', () => {
  const table = defineTable('screen_views', { row, rows: () => undefined, cluster: ['user_id'] });
  expect(table).toMatchObject({
    name: 'screen_views',
    version: 1,
    shape: {
      name: 'screen_views',
      version: 1,
      columns: [
        { name: 'user_id', type: 'string', nullable: false },
        { name: 'price', type: 'double', nullable: true },
        { name: 'tags', type: 'json', nullable: false },
      ],
      cluster: ['user_id'],
    },
    event: undefined,
    problems: [],
  });
  expect(table.since).toBeUndefined();
  expect(table.match({} as never)).toBe(true);
});

test('a table keeps what the user gave', () => {
  const definition: TableDefinition<z.ZodString, typeof row, undefined> = {
    version: 3,
    match: ({ source }) => source === 'app',
    event: z.string(),
    row,
    rows: () => undefined,
  };
  const table = defineTable('t', definition);
  expect(table).toMatchObject({
    version: 3,
    shape: { version: 3 },
    event: definition.event,
    row,
    rows: definition.rows,
  });
  expect(table.match({ source: 'app' } as never)).toBe(true);
  expect(table.match({ source: 'web' } as never)).toBe(false);
});

test.each([
  ['2026-01-31', '2026-01-31T00:00:00.000Z'],
  ['2026-01-31T12:00:00+02:00', '2026-01-31T10:00:00.000Z'],
  [new Date('2026-01-31T10:00:00Z'), '2026-01-31T10:00:00.000Z'],
])('since %s', (since, moment) => {
  expect(defineTable('t', { ...good, since }).since?.toISOString()).toBe(moment);
});

test('the place is that of the call', () => {
  const { site } = defineTable('t', good);
  const [, line] = /tables\.test\.ts:(\d+)/.exec(new Error().stack!)!;
  expect(site).toEqual({
    file: expect.stringMatching(/^\/.*test\/tables\.test\.ts$/) as string,
    line: Number(line) - 1,
  });
});

test('the place is found whatever is done to stack traces', () => {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    expect(defineTable('t', good).site?.line).toBeGreaterThan(50);
    expect(Error.stackTraceLimit).toBe(0);
  } finally {
    Error.stackTraceLimit = limit;
  }
});

describe('names', () => {
  test.each(['a', '_a', 'a1_b', 'a'.repeat(63)])('%s', (name) => {
    expect(problemsOf(name, good)).toEqual([]);
  });

  test.each(['', '1a', 'A', 'a-b', 'a b', 'a.b', 'ä', 'a'.repeat(64), 'a"; drop', 'catchment_loads', undefined, 5])(
    'refused: %s',
    (name) => {
      expect(problemsOf(name, good)).toEqual([expect.stringMatching(/^name: .*(write|defineTable)/)]);
    },
  );
});

describe('problems say where and what to write', () => {
  test.each<[string, object, string[]]>([
    ['version 0', { ...good, version: 0 }, ['version: is no version; they count from 1: version: 1']],
    ['version 1.5', { ...good, version: 1.5 }, ['version: is no version; write a whole number from 1: version: 2']],
    ['version as text', { ...good, version: '2' }, ['version: is no version; write a whole number from 1: version: 2']],
    [
      'a cluster that is no column',
      { ...good, cluster: ['user'] },
      ['cluster[0]: "user" is no column of the row; write one of user_id, price, tags'],
    ],
    [
      'a JSON cluster',
      { ...good, cluster: ['user_id', 'tags'] },
      ['cluster[1]: "tags" is a JSON column, which cannot be sorted; write one of another type'],
    ],
    [
      'a cluster twice',
      { ...good, cluster: ['user_id', 'user_id'] },
      ['cluster[1]: "user_id" stands there twice; remove one'],
    ],
    [
      'a cluster that is no array',
      { ...good, cluster: 'user_id' },
      ["cluster: is no array; write cluster: ['user_id']"],
    ],
    ['a cluster of numbers', { ...good, cluster: [1] }, ['cluster[0]: is no column; write the name of one']],
    [
      'too many in a cluster',
      {
        ...good,
        row: z.object({ a: z.int(), b: z.int(), c: z.int(), d: z.int(), e: z.int() }),
        cluster: ['a', 'b', 'c', 'd', 'e'],
      },
      ['cluster: has more than 4 columns; keep those that most queries filter by'],
    ],
    ['no rows', { row }, ['rows: is no function; write rows: (event) => ({ … })']],
    ['no row', { rows: good.rows }, ['row: is no schema of Zod 4; write the row as row: z.object({ … })']],
    [
      'a row of another library',
      { ...good, row: { parse: () => ({}) } },
      ['row: is no schema of Zod 4; write the row as row: z.object({ … })'],
    ],
    ['a row that is no object', { ...good, row: z.string() }, ['row: is no Zod object; write row: z.object({ … })']],
    [
      'a contract that is no schema',
      { ...good, event: {} },
      ['event: is no schema of Zod 4; write the contract as event: z.object({ … })'],
    ],
    [
      'a match that is no function',
      { ...good, match: 'x' },
      ["match: is no function; write match: (event) => event.json?.type === 'screen_view'"],
    ],
    [
      'a since that is no moment',
      { ...good, since: 'yesterday' },
      ["since: is no moment; write since: '2026-01-01' or since: '2026-01-01T12:00:00Z'"],
    ],
    [
      'a since that is no date',
      { ...good, since: new Date('x') },
      ["since: is no moment; write since: '2026-01-01' or since: '2026-01-01T12:00:00Z'"],
    ],
    [
      'a setting that is none',
      { ...good, clusters: [] },
      ['clusters: there is no such setting; write one of version, match, event, row, rows, cluster, since'],
    ],
    [
      'a column name',
      { ...good, row: z.object({ userId: z.string() }) },
      ['row.userId: is no column name (a-z, 0-9 and _, beginning with a letter); write user_id'],
    ],
  ])('%s', (_name, definition, problems) => {
    expect(problemsOf('t', definition)).toEqual(problems);
  });

  test.each([undefined, null, 5, 'x', []])('no definition but %s', (definition) => {
    expect(problemsOf('t', definition)).toContain(
      ": is no object; write defineTable('screen_views', { match, event, row, rows })",
    );
  });

  test('all of a table at once', () => {
    const definition = {
      version: 0,
      rows: 1,
      row: z.object({ ok: z.string(), bad: z.symbol() }),
      cluster: 5,
      other: 1,
    };
    expect(define('T', definition).problems.map(({ path }) => path)).toEqual([
      'name',
      'version',
      'rows',
      'cluster',
      'other',
      'row.bad',
    ]);
  });
});

test('never throws, and the erased table can be called, whatever is wrong', () => {
  const table = define(undefined, null);
  expect(table.match({} as never)).toBe(true);
  expect(table.rows({}, {} as never)).toBeUndefined();
  expect(table.row.safeParse({}).success).toBe(false);
});

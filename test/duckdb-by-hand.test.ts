import { SchemaConflict, TableMissing } from '../src/errors.js';
import type { Load, TableShape } from '../src/providers/warehouse.js';
import { column, DuckDBFolder } from './duckdb-folder.js';

let folder: DuckDBFolder;
beforeEach(async () => (folder = await DuckDBFolder.make()));
afterEach(() => folder.close());

const table: TableShape = {
  name: 't',
  version: 1,
  columns: [column('label', 'string'), column('n', 'int64')],
  cluster: [],
};
const withColumns = (...columns: TableShape['columns']): TableShape => ({ ...table, version: 2, columns });
const someRows = (label: string): Record<string, unknown>[] => [{ label, n: '1' }];

/** A load, made before the table is changed by hand. */
async function planned(): Promise<Load> {
  await folder.warehouse.migrate([table], 'apply');
  await folder.load(await folder.stage(table, someRows('before')));
  return folder.stage(table, someRows('after'));
}

test.each<[change: string, sql: string, error: typeof SchemaConflict | typeof TableMissing, told: RegExp]>([
  ['of another type', 'ALTER TABLE t ALTER n TYPE VARCHAR', SchemaConflict, /column n of table t is VARCHAR.* BIGINT/],
  ['narrowed', 'ALTER TABLE t ALTER n TYPE INTEGER', SchemaConflict, /column n of table t is INTEGER.* BIGINT/],
  ['dropped', 'ALTER TABLE t DROP COLUMN n', TableMissing, /table t has no column n: run catchment migrate/],
  ['renamed', 'ALTER TABLE t RENAME COLUMN n TO m', TableMissing, /table t has no column n: .*rename it back/],
])('a column %s by hand rejects nobody, and says what is wrong', async (_change, sql, error, told) => {
  const plan = await planned();
  await folder.byHand(sql);
  for (const call of [() => folder.load(plan), () => folder.withoutRefused(plan)]) {
    const thrown: unknown = await call().catch((failure: unknown) => failure);
    expect(thrown).toBeInstanceOf(error);
    expect(thrown).toMatchObject({
      message: expect.stringMatching(told) as unknown,
      where: { table: 't', column: 'n' },
    });
  }
  expect(await folder.reasons('t')).toEqual([]);
});

test('a column that nothing fills, added NOT NULL by hand, rejects nobody; let be empty, the same load goes well', async () => {
  const plan = await planned();
  await folder.byHand(
    'DELETE FROM t',
    'ALTER TABLE t ADD COLUMN more VARCHAR',
    'ALTER TABLE t ALTER more SET NOT NULL',
  );
  await expect(folder.load(plan)).rejects.toMatchObject({ where: { table: 't', column: 'more' } });
  await folder.byHand('ALTER TABLE t ALTER more DROP NOT NULL');
  expect(await folder.load(plan)).toMatchObject({ rows: 1 });
});

test('a table dropped by hand says so, to loads and to migrate', async () => {
  const plan = await planned();
  await folder.byHand('DROP TABLE t');
  await expect(folder.load(plan)).rejects.toBeInstanceOf(TableMissing);
  await expect(folder.load(plan)).rejects.toThrow(/t was dropped.*another name/);
  await expect(folder.warehouse.migrate([table], 'plan')).rejects.toBeInstanceOf(SchemaConflict);
});

test('changed and changed back, one after the other, each load sees the table as it is', async () => {
  const plan = await planned();
  await folder.byHand('ALTER TABLE t RENAME COLUMN n TO m');
  await expect(folder.load(plan)).rejects.toBeInstanceOf(TableMissing);
  await folder.byHand('ALTER TABLE t RENAME COLUMN m TO n');
  expect(await folder.load(plan)).toMatchObject({ rows: 1 });
  await folder.byHand('ALTER TABLE t ALTER n TYPE VARCHAR');
  await expect(folder.load(await folder.stage(table, someRows('later')))).rejects.toBeInstanceOf(SchemaConflict);
});

describe('migrate', () => {
  const wide = withColumns(column('label', 'string'), column('n', 'int64', 'hugeint'));

  test('widens a type where nothing is lost, and loads of the older shape go on', async () => {
    const plan = await planned();
    expect(await folder.warehouse.migrate([wide], 'plan')).toEqual([{ table: 't', what: 'widen column', column: 'n' }]);
    expect(await folder.warehouse.migrate([wide], 'apply')).toHaveLength(1);
    expect(await folder.warehouse.migrate([wide], 'apply')).toEqual([]);
    await folder.load(plan);
    await folder.load(await folder.stage(wide, [{ label: 'wide', n: '9223372036854775808' }]));
    // Nothing takes it back, not even a worker that knows no better.
    await expect(folder.warehouse.migrate([table], 'apply')).rejects.toMatchObject({
      constructor: SchemaConflict,
      message: expect.stringContaining('ask for HUGEINT') as unknown,
    });
    expect(await folder.rows('SELECT label, n, typeof(n) AS type FROM t ORDER BY label')).toEqual([
      { label: 'after', n: 1, type: 'HUGEINT' },
      { label: 'before', n: 1, type: 'HUGEINT' },
      { label: 'wide', n: '9223372036854775808', type: 'HUGEINT' },
    ]);
  });

  test.each<[from: string, to: string, done: boolean]>([
    ['integer', 'bigint', true],
    ['decimal(10,2)', 'decimal(12,2)', true],
    ['decimal(10,2)', 'decimal(14,4)', true],
    ['decimal(10,2)', 'decimal(12,4)', true],
    ['float', 'double', true],
    ['varchar(20)', 'varchar', true],
    ['decimal(10,2)', 'decimal(10,4)', false],
    ['decimal(12,2)', 'decimal(10,2)', false],
    ['bigint', 'integer', false],
    ['double', 'float', false],
    ['bigint', 'double', false],
    ['bigint', 'varchar', false],
    ['timestamp with time zone', 'varchar', false],
  ])('%s becomes %s: %s', async (from, to, done) => {
    const shape = (sql: string): TableShape => withColumns(column('x', 'string', sql));
    await folder.warehouse.migrate([shape(from)], 'apply');
    const widened = folder.warehouse.migrate([shape(to)], 'apply');
    if (done) await widened;
    else await expect(widened).rejects.toMatchObject({ where: { table: 't', column: 'x' } });
    const { rows } = await folder.load(await folder.stage(shape(done ? to : from), [{ x: null }]));
    expect(rows).toBe(1);
  });

  test.each([
    ['column that is gone', withColumns(column('label', 'string')), []],
    ['column that may not be empty', withColumns({ ...column('n', 'int64'), nullable: false }), []],
  ])('a %s changes nothing, and older loads go on', async (_what, shape, changes) => {
    const plan = await planned();
    expect(await folder.warehouse.migrate([shape], 'apply')).toEqual(changes);
    expect(await folder.load(plan)).toMatchObject({ rows: 1 });
    expect(await folder.rows(`SELECT n, typeof(n) AS type FROM t WHERE label = 'after'`)).toEqual([
      { n: 1, type: 'BIGINT' },
    ]);
  });

  test('says what stands in the way of a change: an index that was made by hand', async () => {
    await planned();
    await folder.byHand('CREATE UNIQUE INDEX labels ON t (label)');
    await expect(folder.warehouse.migrate([wide], 'apply')).rejects.toMatchObject({
      constructor: SchemaConflict,
      message: expect.stringMatching(/column n of table t .*index.*drop it/) as unknown,
    });
    await folder.load(await folder.stage(table, someRows('goes on')));
  });
});

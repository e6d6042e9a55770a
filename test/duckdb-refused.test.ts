import { RowsRefused } from '../src/errors.js';
import type { TableShape } from '../src/providers/warehouse.js';
import { column, DuckDBFolder } from './duckdb-folder.js';

let folder: DuckDBFolder;
beforeEach(async () => (folder = await DuckDBFolder.make()));
afterEach(() => folder.close());

const tableOf = (...columns: TableShape['columns']): TableShape => ({ name: 't', version: 1, columns, cluster: [] });
const uuid = '01890a5d-ac96-774b-bcce-b302099a8057';

test.each<[sql: string, good: string, bad: string]>([
  ['uuid', uuid, 'marker'],
  ['time', '12:34:56', '25:00:00 marker'],
  ['interval', '3 days', 'marker'],
  ['timestamptz', '2026-11-24T12:00:00Z', 'marker'],
  ['utinyint', '255', 'marker'],
  ['mood', 'glad', 'marker'],
  ['bit', '0101', 'marker'],
  // A value that looks like what DuckDB says of one.
  ['uuid', uuid, 'x when casting from source column marker'],
  ['uuid', uuid, 'in file "/marker", in line 7: source column "marker"'],
])('of a column of type %s a value that does not fit is rejected by name', async (sql, good, bad) => {
  const table = tableOf(column('label', 'string'), column('odd', 'string', sql));
  await folder.byHand(`CREATE TYPE mood AS ENUM ('glad', 'sad')`);
  await folder.warehouse.migrate([table], 'apply');
  const plan = await folder.stage(table, [
    { label: 'a', odd: good },
    { label: 'b', odd: bad },
    { label: 'c', odd: null },
  ]);
  const error: unknown = await folder.load(plan).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(RowsRefused);
  expect(JSON.stringify([(error as Error).message, (error as RowsRefused).where])).not.toContain('marker');

  const rest = await folder.withoutRefused(plan);
  expect(await folder.load(rest)).toMatchObject({ events: 3, rows: 2, rejected: 1 });
  expect(await folder.rows('SELECT label FROM t ORDER BY label')).toEqual([{ label: 'a' }, { label: 'c' }]);
  const [reason] = await folder.reasons('t');
  expect(reason).toBe(`odd: DuckDB does not take it as ${sql}`);
  expect(folder.probes).toBe(2);
});

test('a hundred of them among 50,000 rows are found by two probes', async () => {
  const table = tableOf(column('label', 'string'), column('odd', 'string', 'uuid'), column('day', 'date', 'date'));
  await folder.warehouse.migrate([table], 'apply');
  const rows = Array.from({ length: 50_000 }, (_, i) => {
    return { label: `${i}`, odd: i % 1_000 === 3 ? 'no' : uuid, day: i % 1_000 === 4 ? 'nor this' : '2026-11-24' };
  });
  const rest = await folder.withoutRefused(await folder.stage(table, rows));
  expect(folder.probes).toBe(2);
  expect(await folder.load(rest)).toMatchObject({ events: 50_000, rows: 49_900, rejected: 100 });
});

test('a value that DuckDB cannot even try is found by halves', async () => {
  const table = tableOf(column('label', 'string'), column('shape', 'json', 'struct(a integer)'));
  await folder.warehouse.migrate([table], 'apply');
  const rows = Array.from({ length: 20 }, (_, i) => ({ label: `${i}`, shape: `{"a":${i === 11 ? '"marker"' : i}}` }));
  const rest = await folder.withoutRefused(await folder.stage(table, [...rows, { label: 'null', shape: 'null' }]));
  expect(folder.probes).toBeGreaterThan(2);
  expect(await folder.load(rest)).toMatchObject({ rows: 20, rejected: 1 });
  expect((await folder.reasons('t')).join()).not.toContain('marker');
});

describe('what somebody put on the table by hand', () => {
  const table = tableOf(column('label', 'string'), column('n', 'int64'));
  const rows = [
    { label: 'a', n: '1' },
    { label: 'b', n: '-2' },
    { label: null, n: '3' },
    { label: 'a', n: '4' },
    { label: 'c', n: '5' },
  ];
  beforeEach(() => folder.warehouse.migrate([table], 'apply'));

  async function loaded(): Promise<unknown[]> {
    const plan = await folder.stage(table, rows);
    await expect(folder.load(plan)).rejects.toBeInstanceOf(RowsRefused);
    await folder.load(await folder.withoutRefused(plan));
    const audit = await folder.warehouse.audit(table, new Date(0));
    expect(audit).toMatchObject({ events: 5, rows: audit.rowsCounted, rejected: audit.rejectionsCounted });
    return (await folder.rows('SELECT n FROM t ORDER BY n')).map(({ n }) => n);
  }

  test('NOT NULL and CHECK reject what breaks them, by name', async () => {
    await folder.byHand(
      'CREATE TABLE u AS SELECT * FROM t',
      'DROP TABLE t',
      'CREATE TABLE t (label VARCHAR, n BIGINT CHECK (n > 0), _event_key VARCHAR, _event_id VARCHAR, _source VARCHAR, ' +
        '_row INTEGER, _sent_at TIMESTAMPTZ, _batch VARCHAR, _version INTEGER, _loaded_at TIMESTAMPTZ)',
      'ALTER TABLE t ALTER label SET NOT NULL',
    );
    expect(await loaded()).toEqual([1, 4, 5]);
    expect(await folder.reasons('t')).toEqual([
      "DuckDB's table says CHECK((n > 0))",
      "label: it is empty, and DuckDB's table says NOT NULL",
    ]);
    expect(folder.probes).toBe(2);
  });

  test('a unique index rejects the later of two in a load, and one that is there already', async () => {
    await folder.byHand('CREATE UNIQUE INDEX labels ON t (lower(label))');
    expect(await loaded()).toEqual([-2, 1, 3, 5]);
    expect(folder.probes).toBe(2);
    const again = await folder.stage(table, [
      { label: 'A', n: '6' },
      { label: 'd', n: '7' },
    ]);
    expect(await folder.load(await folder.withoutRefused(again))).toMatchObject({ rows: 1, rejected: 1 });
  });
});

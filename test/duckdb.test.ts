import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ConfigError, Unavailable } from '../src/errors.js';
import { holder } from '../src/locks.js';
import { duckdb } from '../src/providers/local/duckdb.js';
import { folderLake } from '../src/providers/local/lake.js';
import type { TableShape, Warehouse } from '../src/providers/warehouse.js';
import { endChildren, startChild, type Child } from './child.js';
import { batchOf, someEvent, stageLoad } from './contract/warehouse-loads.js';

const table: TableShape = {
  name: 't',
  version: 1,
  columns: [{ name: 'a', type: 'string', nullable: true }],
  cluster: [],
};
const never = new AbortController().signal;

let folder: string;
let dataDir: string;
let opened: Warehouse[];
beforeEach(async () => {
  folder = dataDir = await mkdtemp(join(tmpdir(), 'catchment-duckdb-'));
  opened = [];
});
afterEach(async () => {
  await endChildren();
  await Promise.all(opened.map((warehouse) => warehouse.close()));
  await rm(folder, { recursive: true, force: true });
});

const place = (part: string) => ({ pipeline: 'app', dataDir, part });
const open = (path?: string): Warehouse => {
  const warehouse = duckdb(path === undefined ? {} : { path }).open(place('warehouse'));
  opened.push(warehouse);
  return warehouse;
};
const user = () => startChild(join(import.meta.dirname, 'duckdb-user.ts'), dataDir);
const someLoad = (events = 1) =>
  stageLoad(folderLake().open(place('lake')), table, 'keep', [
    batchOf(...Array.from({ length: events }, () => ({ event: someEvent(), rows: [{ a: 'x' }] }))),
  ]);
const lake = () => folderLake().open(place('lake'));
const ownerPid = () => holder(join(dataDir, 'warehouse.lock'))?.pid;
const rowsOf = async (warehouse: Warehouse, sql: string): Promise<Record<string, unknown>[]> => {
  const rows = [];
  for await (const row of warehouse.query(sql)) rows.push(row);
  return rows;
};
const ask = async (child: Child, call: string, argument: unknown): Promise<unknown> => {
  const before = child.lines.length;
  child.tell(JSON.stringify([call, argument]));
  await child.saysMore(before);
  return JSON.parse(child.lines[before]!.slice(call.length + 1));
};

describe('the process that has the file open', () => {
  it('answers the others, and is followed by one of them when it is killed', async () => {
    const child = user();
    await ask(child, 'migrate', table);
    expect(ownerPid()).toBe(child.pid);
    const warehouse = open();
    const load = await someLoad(3);
    const result = await warehouse.load(load, lake(), never);
    expect(await ask(child, 'query', 'SELECT count(*) AS n FROM t')).toEqual([{ n: 3 }]);
    await child.kill('SIGKILL');
    // A repeat, as a caller makes it that got no answer.
    expect(await warehouse.load(load, lake(), never)).toEqual(result);
    expect(ownerPid()).toBe(process.pid);
    expect(await rowsOf(warehouse, 'SELECT count(*) AS n FROM t')).toEqual([{ n: 3 }]);
    await child.kill();
  });

  it('gives it to the one that changes tables, where it only reads itself', async () => {
    const reader = open();
    expect(await rowsOf(reader, 'SELECT count(*) AS n FROM catchment_loads')).toEqual([{ n: 0 }]);
    expect(ownerPid()).toBe(process.pid);
    const child = user();
    await ask(child, 'migrate', table);
    expect(ownerPid()).toBe(child.pid);
    expect(await rowsOf(reader, 'SELECT count(*) AS n FROM t')).toEqual([{ n: 0 }]);
    await reader.load(await someLoad(), lake(), never);
    expect(ownerPid()).toBe(child.pid);
  });

  it('is followed by another when it closes, while calls come in', async () => {
    const child = user();
    await ask(child, 'migrate', table);
    const warehouse = open();
    const loads = await Promise.all(Array.from({ length: 8 }, () => someLoad(50)));
    const closing = loads.map(async (load, i) => {
      if (i === 3) await ask(child, 'close', null);
      return warehouse.load(load, lake(), never);
    });
    expect((await Promise.all(closing)).map(({ rows }) => rows)).toEqual(loads.map(() => 50));
    expect(ownerPid()).toBe(process.pid);
    expect(await warehouse.audit(table, new Date(0))).toMatchObject({ rowsCounted: 400, rows: 400 });
  });

  it('closes though the query of another goes on, which fails and can be made again', async () => {
    const [first, second] = [open(), open()];
    await first.migrate([table], 'apply');
    const rows = second.query('SELECT range AS n FROM range(100000000000)')[Symbol.asyncIterator]();
    await rows.next();
    await first.close();
    const toTheEnd = async () => {
      while ((await rows.next()).done !== true);
    };
    await expect(toTheEnd()).rejects.toBeInstanceOf(Unavailable);
    expect(await rowsOf(second, 'SELECT count(*) AS n FROM t')).toEqual([{ n: 0 }]);
  });

  it('can be reached where the path of the folder is too long for a socket', async () => {
    dataDir = join(dataDir, 'x'.repeat(120), "it's [a] folder*");
    await mkdir(dataDir, { recursive: true });
    const [first, second] = [open(), open()];
    await first.migrate([table], 'apply');
    await second.load(await someLoad(2), lake(), never);
    expect(await rowsOf(second, 'SELECT count(*) AS n FROM t')).toEqual([{ n: 2 }]);
    const { at } = holder(join(dataDir, 'warehouse.lock'))!;
    expect(existsSync(at!)).toBe(true);
    await first.close();
    expect(existsSync(at!)).toBe(false);
  });
});

it('says what is wrong with a damaged file, and goes on once it was moved away', async () => {
  const file = join(dataDir, 'elsewhere.duckdb');
  await writeFile(file, 'this is no database'.repeat(1_000));
  const [first, second] = [open(file), open(file)];
  for (const warehouse of [first, second]) {
    await expect(warehouse.migrate([table], 'apply')).rejects.toBeInstanceOf(Unavailable);
    await expect(warehouse.migrate([table], 'apply')).rejects.toThrow(file);
  }
  await rm(file);
  await first.migrate([table], 'apply');
  expect(await rowsOf(second, 'SELECT count(*) AS n FROM t')).toEqual([{ n: 0 }]);
});

it('refuses tables that it did not make, and types that DuckDB does not have', async () => {
  const warehouse = open();
  const odd = { ...table, columns: [{ name: 'a', type: 'string', nullable: true, sql: 'varchr(3)' } as const] };
  await expect(warehouse.migrate([odd], 'plan')).rejects.toMatchObject({ where: { table: 't', column: 'a' } });
  await expect(warehouse.migrate([{ ...table, name: 'catchment_loads' }], 'apply')).rejects.toThrow('did not make');
});

describe('query', () => {
  const values: [sql: string, value: unknown][] = [
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', '9007199254740993'],
    ['(-170141183460469231731687303715884105727)::HUGEINT', '-170141183460469231731687303715884105727'],
    ["'1.50'::DECIMAL(12, 2)", '1.50'],
    ["'nan'::DOUBLE", 'NaN'],
    ["'2026-11-24 12:00:00.5+02'::TIMESTAMPTZ", '2026-11-24T10:00:00.500Z'],
    ["'1969-12-31 23:59:59.999999'::TIMESTAMP", '1969-12-31T23:59:59.999999Z'],
    ["'infinity'::TIMESTAMPTZ", 'infinity'],
    ["'2026-11-24'::DATE", '2026-11-24'],
    [`'{"a": 12345678901234567890}'::JSON`, '{"a": 12345678901234567890}'],
    ["[1::BIGINT, NULL, '9007199254740993'::BIGINT]", [1, null, '9007199254740993']],
    ["{'t': '2026-11-24 12:00:00'::TIMESTAMP_MS}", { t: '2026-11-24T12:00:00.000Z' }],
    ["INTERVAL '1 day'", '1 day'],
  ];

  it('tells values as JSON can hold them, to the owner and to others alike', async () => {
    const sql = `SELECT ${values.map(([value], i) => `${value} AS c${i}`).join(', ')}`;
    const expected = [Object.fromEntries(values.map(([, value], i) => [`c${i}`, value]))];
    expect(await rowsOf(open(), sql)).toEqual(expected);
    expect(await rowsOf(open(), sql)).toEqual(expected);
  });

  it('fails with its mistake, told in full, but without values', async () => {
    const warehouses = [open(), open()];
    for (const warehouse of warehouses) {
      for (const sql of ['SELEC 1', 'SELECT nope', 'SELECT 1; SELECT 2', '', 'CREATE TABLE x (a INT)']) {
        await expect(rowsOf(warehouse, sql)).rejects.toBeInstanceOf(ConfigError);
      }
      await expect(rowsOf(warehouse, 'SELECT nope')).rejects.toThrow('"nope"');
      for (const value of [`'secret'::VARCHAR || x`, `(4000000000 + x::INT)`]) {
        const failing = rowsOf(warehouse, `SELECT (${value})::INT FROM (SELECT range AS x FROM range(3)) AS r`);
        await expect(failing).rejects.toThrow(/Conversion Error/);
        await expect(failing).rejects.not.toThrow(/secret|4000000000/);
      }
    }
  });

  it('gives its thread back when its consumer stops, in the owner and elsewhere', async () => {
    for (const warehouse of [open(), open()]) {
      for await (const row of warehouse.query('SELECT range AS n FROM range(100000000000)')) {
        if ((row['n'] as number) > 5_000) break;
      }
    }
    expect(await rowsOf(opened[1]!, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

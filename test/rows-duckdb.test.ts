import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';

import { duckdb } from '../src/providers/local/duckdb.js';
import { folderLake } from '../src/providers/local/lake.js';
import type { Lake } from '../src/providers/lake.js';
import type { ColumnType, TableShape, Warehouse } from '../src/providers/warehouse.js';
import { parseJson } from '../src/transform/json.js';
import { Refusal } from '../src/transform/refusal.js';
import { rowWriter } from '../src/transform/rows.js';
import { anyText } from './arbitraries.js';
import { batchOf, someEvent, stageLoad } from './contract/warehouse-loads.js';

/** A value of user code, and what a query must find for it. */
interface Sample {
  readonly value: unknown;
  readonly told: string | boolean | null;
}

interface Tried {
  readonly type: ColumnType;
  readonly sql?: string;
  /** How a query tells the value exactly; default: as text. */
  readonly query?: (column: string) => string;
  readonly samples: fc.Arbitrary<Sample>;
}

const sample = <Value>(values: fc.Arbitrary<Value>, told: (value: Value) => string | boolean): fc.Arbitrary<Sample> =>
  values.map((value) => ({ value, told: told(value) }));

const texts = fc.oneof(
  anyText,
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', 'NULL', '\\N', '\0', '\ufeff'),
);
const integers = (bits: number): fc.Arbitrary<Sample> => {
  const edge = 2n ** BigInt(bits - 1);
  const bigs = fc.oneof(
    fc.bigInt({ min: -edge * 2n, max: edge * 2n }),
    fc.constantFrom(-edge - 1n, -edge, edge - 1n, edge, 2n ** 53n + 1n, 0n),
    fc.bigInt({ min: -1000n, max: 1000n }),
  );
  return fc.oneof(
    sample(bigs, String),
    sample(bigs.map(String), String),
    sample(fc.oneof(fc.maxSafeInteger(), fc.constantFrom(2 ** 62, -(2 ** 63), 2 ** 63, -0)), (value) =>
      String(BigInt(value)),
    ),
  );
};
/** The digits of a number's text, without an exponent and without zeros at the ends. */
function plain(text: string): string {
  const match = /^(-?)(\d*)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text);
  if (match === null) return text;
  const [, sign, whole, fraction = '', exponent = '0'] = match;
  const places = Math.max(0, fraction.length - Number(exponent));
  const digits = BigInt(whole! + fraction + '0'.repeat(Math.max(0, Number(exponent) - fraction.length)));
  const padded = String(digits).padStart(places + 1, '0');
  const split = padded.length - places;
  const tail = padded.slice(split).replace(/0+$/, '');
  return `${sign === '-' && digits > 0n ? '-' : ''}${padded.slice(0, split)}${tail === '' ? '' : `.${tail}`}`;
}
const digits = fc.stringMatching(/^-?\d{1,40}(\.\d{1,14})?$/);
const decimals = fc.oneof(
  sample(digits, plain),
  sample(fc.stringMatching(/^-?\d{1,9}(\.\d{1,2})?$/), plain),
  sample(fc.stringMatching(/^-?\d{1,3}(\.\d{1,3})?e[+-]?\d{1,2}$/), plain),
  sample(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => plain(String(value))),
  sample(
    fc.integer({ min: -1e9, max: 1e9 }).map((cents) => cents / 100),
    (value) => plain(String(value)),
  ),
  sample(fc.bigInt({ min: -(10n ** 39n), max: 10n ** 39n }), String),
);
const days = fc.date({
  min: new Date('-000001-01-01T00:00:00Z'),
  max: new Date('+012000-01-01T00:00:00Z'),
  noInvalidDate: true,
});
const dates = fc.oneof(
  sample(
    days.map((date) => date.toISOString().replace(/T.*/, '')),
    String,
  ),
  sample(
    days.map((date) => new Date(Math.floor(date.getTime() / 86_400_000) * 86_400_000)),
    (date) => date.toISOString().slice(0, 10),
  ),
  sample(fc.constantFrom('2024-02-29', '2023-02-29', '1900-02-29', '2000-02-29', '2024-02-30', '2024-13-01'), String),
);
const moments = fc.oneof(
  sample(days, (date) => String(BigInt(date.getTime()) * 1000n)),
  fc.tuple(days, fc.nat({ max: 999 }), fc.integer({ min: -14 * 60, max: 14 * 60 })).map(([date, micros, offset]) => {
    const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, -1);
    const two = (value: number): string => String(Math.floor(Math.abs(value))).padStart(2, '0');
    const zone = `${offset < 0 ? '-' : '+'}${two(offset / 60)}:${two(Math.abs(offset) % 60)}`;
    return {
      value: `${local}${String(micros).padStart(3, '0')}${zone}`,
      told: String(BigInt(date.getTime()) * 1000n + BigInt(micros)),
    };
  }),
);
const hex = (text: string): string => Buffer.from(text).toString('hex').toUpperCase();
/** DuckDB's driver leaves out a BOM that a text begins with, which is there. */
const inHex = (column: string): string => `hex(${column})`;
const inDouble = (column: string): string => `CAST(CAST(${column} AS DOUBLE) AS VARCHAR)`;
const inMicros = (column: string): string => `CAST(epoch_us(${column}) AS VARCHAR)`;
const json = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false, 0, 1e300, 5e-324, -1.5),
    fc.bigInt(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
    texts,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.array(fc.tuple(texts, tie('tree')), { maxLength: 4 }).map((members) => Object.fromEntries(members)),
  ),
})).tree;
/** Of equal values equal, whatever stands between them and however a number is written. */
const canonical = (value: unknown): string =>
  typeof value === 'bigint' || typeof value === 'number'
    ? plain(String(value))
    : Array.isArray(value)
      ? `[${value.map(canonical).join()}]`
      : typeof value === 'object' && value !== null
        ? `{${Object.entries(value)
            .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`)
            .join()}}`
        : JSON.stringify(value);

/** By name: every type of a column and every override whose values are checked. */
const tried: Record<string, Tried> = {
  string: { type: 'string', samples: sample(texts, hex), query: inHex },
  varchar: { type: 'string', sql: 'varchar(20)', samples: sample(texts, hex), query: inHex },
  int64: { type: 'int64', samples: integers(64) },
  bigint: { type: 'int64', sql: 'bigint', samples: integers(64) },
  int8: { type: 'int64', sql: 'int8', samples: integers(64) },
  integer: { type: 'int64', sql: 'INTEGER', samples: integers(32) },
  int: { type: 'int64', sql: 'int', samples: integers(32) },
  int4: { type: 'int64', sql: 'int4', samples: integers(32) },
  smallint: { type: 'int64', sql: 'smallint', samples: integers(16) },
  int2: { type: 'int64', sql: 'int2', samples: integers(16) },
  tinyint: { type: 'int64', sql: 'tinyint', samples: integers(8) },
  double: {
    type: 'double',
    samples: sample(fc.double({ noDefaultInfinity: true }), (value) => plain(String(value + 0))),
  },
  double_of_integers: {
    type: 'double',
    samples: sample(fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }), (value) => plain(String(Number(value)))),
  },
  real: {
    type: 'double',
    sql: 'real',
    samples: sample(fc.double(), (value) => plain(String(Math.fround(value) + 0))),
    query: inDouble,
  },
  decimal: { type: 'decimal', sql: 'decimal(12,2)', samples: decimals },
  numeric: { type: 'decimal', sql: 'NUMERIC(38, 10)', samples: decimals },
  digits: { type: 'decimal', sql: 'decimal(18)', samples: decimals },
  hundredths: { type: 'decimal', sql: 'decimal(2,2)', samples: decimals },
  boolean: { type: 'boolean', samples: sample(fc.boolean(), (value) => value), query: (column) => column },
  date: { type: 'date', samples: dates },
  timestamp: { type: 'timestamp', samples: moments, query: inMicros },
  timestamptz: { type: 'timestamp', sql: 'timestamp with time zone', samples: moments, query: inMicros },
  zoneless: { type: 'timestamp', sql: 'timestamp', samples: moments, query: inMicros },
  json: { type: 'json', samples: json.map((value) => ({ value, told: value === null ? null : canonical(value) })) },
};

/** A row's samples, by column. */
type SampleRow = Readonly<Record<string, Sample>>;
const rows = fc.array(
  fc.record(Object.fromEntries(Object.entries(tried).map(([name, { samples }]) => [name, samples]))),
  {
    minLength: 1,
    maxLength: 80,
  },
) as fc.Arbitrary<SampleRow[]>;

let dir: string;
let lake: Lake;
let warehouse: Warehouse;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'catchment-rows-'));
  lake = folderLake().open({ pipeline: 'app', dataDir: dir, part: 'lake' });
  warehouse = duckdb().open({ pipeline: 'app', dataDir: dir, part: 'warehouse' });
});
afterAll(async () => {
  await warehouse.close();
  await rm(dir, { recursive: true });
});

let tables = 0;
/** What a query finds of each value that the row writer takes, beside what it must be; null for what is refused. */
async function throughDuckdb(
  samples: readonly SampleRow[],
): Promise<{ found: unknown[]; expected: unknown[]; refused: number }> {
  const columns = Object.entries(tried).map(([name, { type, sql }]) => ({
    name: `c_${name}`,
    type,
    nullable: true,
    ...(sql && { sql }),
  }));
  const table: TableShape = { name: `values_${tables++}`, version: 1, columns, cluster: [] };
  await warehouse.migrate([table], 'apply');
  let refused = 0;
  const expected: unknown[] = [];
  const copies = samples.map((row, index) => {
    const told: Record<string, unknown> = { id: String(index) };
    const cells = columns.map((column) => {
      const { value, told: should } = row[column.name.slice(2)]!;
      const written = rowWriter({ ...table, columns: [column] }, warehouse.limits)({ [column.name]: value });
      if (written instanceof Refusal) refused++;
      told[column.name] = written instanceof Refusal ? null : should;
      return written instanceof Refusal ? `,"${column.name}":null` : written;
    });
    expected.push(told);
    const { _: _none, ...made } = JSON.parse(`{"_":0${cells.join('')}}`) as Record<string, unknown>;
    return { event: someEvent({ id: String(index) }), rows: [made] };
  });
  await warehouse.load(await stageLoad(lake, table, 'keep', [batchOf(...copies)]), lake, new AbortController().signal);
  const selected = columns.map(
    ({ name }) => `${(tried[name.slice(2)]!.query ?? ((column) => `CAST(${column} AS VARCHAR)`))(name)} AS ${name}`,
  );
  const found: unknown[] = [];
  for await (const row of warehouse.query(
    `SELECT _event_id AS id, ${selected.join(', ')} FROM ${table.name} ORDER BY CAST(_event_id AS INTEGER)`,
  )) {
    found.push(Object.fromEntries(Object.entries(row).map(([name, value]) => [name, told(name.slice(2), value)])));
  }
  return { found, expected, refused };
}

function told(name: string, value: unknown): unknown {
  const { type } = tried[name] ?? {};
  if (typeof value !== 'string') return value;
  if (type === 'double' || type === 'decimal') return plain(value);
  return type === 'json' ? canonical(parseJson(value)) : value;
}

test('whatever the row writer takes is loaded, and read back as the same value', async () => {
  let taken = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(rows, async (samples) => {
      const outcome = await throughDuckdb(samples);
      expect(outcome.found).toEqual(outcome.expected);
      taken += samples.length * Object.keys(tried).length - outcome.refused;
      refused += outcome.refused;
    }),
    { numRuns: 30, endOnFailure: true },
  );
  // The samples are of both kinds.
  expect(taken).toBeGreaterThan(refused);
  expect(refused).toBeGreaterThan(0);
});

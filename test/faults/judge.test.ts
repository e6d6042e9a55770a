import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { createHash } from 'node:crypto';

import { DuckDBInstance } from '@duckdb/node-api';

import { Ledger } from '../../src/send/ledger.js';
import { newId } from '../../src/ids.js';
import { objectKey, parseObjectKey } from '../../src/keys.js';
import { duckdb } from '../../src/providers/local/duckdb.js';
import { folderLake } from '../../src/providers/local/lake.js';
import type { TableShape } from '../../src/providers/warehouse.js';
import { encodeBatch } from '../../src/starter/encode.js';
import { someEvent, stageLoad, type Copy } from '../contract/warehouse-loads.js';
import { bodyOf, expectedRows, type NumberedEvent } from './events.js';
import { judge, type Evidence } from './judge.js';
import { readLake, type StoredObject } from './judge-lake.js';

const base = mkdtempSync(join(tmpdir(), 'catchment-judge-test-'));
const events: readonly NumberedEvent[] = Array.from({ length: 60 }, (_, number) => ({ id: newId(), number }));
const shapes: readonly TableShape[] = Object.entries(expectedRows).map(([name, rows]) => ({
  name,
  version: 1,
  columns: Object.keys(rows(2)[0]!).map((column) => ({ name: column, type: 'int64', nullable: false })),
  cluster: [],
}));
let folders = 0;
let dir: string;

beforeAll(async () => {
  const first = join(base, 'first');
  mkdirSync(first);
  await fill(evidenceIn(first));
});
afterAll(() => rmSync(base, { recursive: true }));
beforeEach(() => {
  dir = join(base, String(folders++));
  cpSync(join(base, 'first'), dir, { recursive: true });
});

test('finds nothing where nothing is wrong, and has looked at all of it', async () => {
  expect(await judge(evidenceIn(dir))).toEqual({
    faults: [],
    events: { sent: 61, inLedger: 60, inLake: 60 },
    copies: 20,
    rows: { singles: 60, pairs: 60, checked: 54 },
  });
});

test('an event that was sent and not noted may be there, once', async () => {
  const { ledgerFile } = evidenceIn(dir);
  writeFileSync(ledgerFile, readFileSync(ledgerFile, 'utf8').split('\n').slice(5).join('\n'));
  expect(await faults()).toEqual([]);
  await sql(`INSERT INTO singles SELECT * FROM singles WHERE number = 2`);
  expect(await faults()).toContainEqual(`singles: row 2 times: ${events[2]!.id}, 0`);
});

test('finds a loss whose rows are there', async () => {
  rmSync(join(dir, 'lake', objectOf(5).key));
  expect(await faults()).toEqual(expect.arrayContaining(events.slice(0, 20).map(({ id }) => `event lost: ${id}`)));
});

test('finds a lost tail, of which no store knows anything', async () => {
  const { key, batch } = objectOf(59);
  rmSync(join(dir, 'lake', key));
  for (const table of Object.keys(expectedRows)) {
    await sql(`DELETE FROM ${table} WHERE _batch = '${batch}'`);
    await sql(`DELETE FROM catchment_internal.${table}_loads WHERE batch = '${batch}'`);
    await sql(`DELETE FROM catchment_internal.${table}_rejected WHERE batch = '${batch}'`);
  }
  expect(await faults()).toEqual(events.slice(40).map(({ id }) => `event lost: ${id}`));
});

test('finds a duplicate row, though the manifest agrees', async () => {
  await sql(`INSERT INTO checked SELECT * FROM checked WHERE number = 7`);
  await sql(`UPDATE catchment_internal.checked_loads SET rows = rows + 1 WHERE batch = '${objectOf(7).batch}'`);
  expect(await faults()).toEqual([`checked: row 2 times: ${events[7]!.id}, 0`]);
});

test('finds a changed byte, though the object agrees with its key', async () => {
  const { key } = objectOf(13);
  const text = gunzipSync(readFileSync(join(dir, 'lake', key))).toString();
  await replace(key, text.replace(`${events[13]!.id}\\",\\"text\\":\\"caf`, `${events[13]!.id}\\",\\"text\\":\\"Caf`));
  expect(await faults()).toEqual([
    expect.stringContaining(`event changed: ${events[13]!.id} in raw/app/`),
    `event lost: ${events[13]!.id}`,
    `singles: row spurious: of ${events[13]!.id}, which the lake does not have`,
    `checked: row spurious: of ${events[13]!.id}, which the lake does not have`,
  ]);
});

test('finds a changed byte of the file', async () => {
  const { key } = objectOf(33);
  const bytes = readFileSync(join(dir, 'lake', key));
  bytes[100]! ^= 1;
  rmSync(join(dir, 'lake', key));
  writeFileSync(join(dir, 'lake', key), bytes);
  expect(await faults()).toContainEqual(`object damaged: ${key}: its bytes are not those that its key names`);
});

test('finds an event that nobody sent', async () => {
  const { key } = objectOf(33);
  const lines = gunzipSync(readFileSync(join(dir, 'lake', key))).toString();
  await replace(key, lines + lines.split('\n')[0]!.replaceAll(events[20]!.id, newId()) + '\n');
  expect(await faults()).toContainEqual(expect.stringMatching(/^event never sent: .* in raw\/app\//));
});

test('finds spurious rows: of an event unknown, and one too many of a known one', async () => {
  await sql(`INSERT INTO singles SELECT * REPLACE ('other' AS _event_id) FROM singles WHERE number = 3`);
  await sql(`INSERT INTO pairs SELECT * REPLACE (2 AS _row) FROM pairs WHERE number = 4 AND _row = 0`);
  const rowsOf = (id: string) => `INSERT INTO checked SELECT * REPLACE ('${id}' AS _event_id) FROM checked LIMIT 1`;
  await sql(rowsOf(events[10]!.id));
  expect(await faults()).toEqual([
    'singles: row spurious: of other, which the lake does not have',
    'singles: manifest counts 60 rows, the table 61',
    `pairs: row spurious: ${events[4]!.id}, 2`,
    'pairs: manifest counts 60 rows, the table 61',
    `checked: row spurious: ${events[10]!.id}, 0`,
    'checked: manifest counts 54 rows, the table 55',
  ]);
});

test('finds the missing second row of a fan-out, and a changed value', async () => {
  await sql(`DELETE FROM pairs WHERE number = 8 AND part = 1`);
  await sql(`UPDATE catchment_internal.pairs_loads SET rows = rows - 1 WHERE batch = '${objectOf(8).batch}'`);
  await sql(`UPDATE singles SET number = 99 WHERE number = 9`);
  expect(await faults()).toEqual([
    `singles: row changed: ${events[9]!.id}, 0: number`,
    `pairs: row missing: ${events[8]!.id}, 1`,
  ]);
});

test('finds a rejection that is missing, one too many, and one of an event that has rows', async () => {
  const rejected = 'catchment_internal.checked_rejected';
  await sql(`DELETE FROM ${rejected} WHERE event_id = '${events[10]!.id}'`);
  await sql(`INSERT INTO ${rejected} SELECT * FROM ${rejected} WHERE event_id = '${events[20]!.id}'`);
  await sql(`INSERT INTO ${rejected} SELECT * REPLACE ('${events[21]!.id}' AS event_id) FROM ${rejected} LIMIT 1`);
  expect(await faults()).toEqual([
    `checked: rejected 0 times: ${events[10]!.id}`,
    `checked: rejected 2 times: ${events[20]!.id}`,
    `checked: rejected 1 times: ${events[21]!.id}`,
    'checked: manifest counts 6 rejections, there are 7',
  ]);
});

test('finds a manifest that has an object twice, not at all, or of none', async () => {
  const [singles, pairs, checked] = Object.keys(expectedRows).map((table) => `catchment_internal.${table}_loads`);
  const { key, batch } = objectOf(0);
  await sql(`INSERT INTO ${singles!} SELECT * REPLACE (0 AS rows) FROM ${singles!} WHERE batch = '${batch}'`);
  await sql(`DELETE FROM ${pairs!} WHERE batch = '${batch}'`);
  await sql(
    `INSERT INTO ${checked!} SELECT * REPLACE (0 AS rows, 0 AS rejected, 'b' AS batch) FROM ${checked!} LIMIT 1`,
  );
  expect(await faults()).toEqual([
    `singles: manifest has 2 lines of ${key}`,
    `pairs: manifest has 0 lines of ${key}`,
    'pairs: manifest counts 40 rows, the table 60',
    'checked: manifest has b, which the lake has not',
  ]);
});

function evidenceIn(folder: string): Evidence {
  return { sentFile: join(folder, 'sent'), ledgerFile: join(folder, 'ledger'), dataDir: folder };
}

async function faults(): Promise<readonly string[]> {
  return (await judge(evidenceIn(dir))).faults;
}

/** The object that holds the first copy of event `number`. */
function objectOf(number: number): StoredObject {
  const { id } = events[number]!;
  return readLake(join(dir, 'lake')).find(({ events: stored }) => stored[0]!.id <= id && stored.at(-1)!.id >= id)!;
}

/** Other contents for an object, which its key, and the manifest's, agree with. */
async function replace(key: string, text: string): Promise<void> {
  const bytes = gzipSync(text);
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
  const other = objectKey({ ...parseObjectKey(key)!, events: text.split('\n').length - 1, hash });
  rmSync(join(dir, 'lake', key));
  writeFileSync(join(dir, 'lake', other), bytes);
  for (const table of Object.keys(expectedRows))
    await sql(`UPDATE catchment_internal.${table}_loads SET key = '${other}' WHERE key = '${key}'`);
}

async function sql(statement: string): Promise<void> {
  const instance = await DuckDBInstance.create(join(dir, 'warehouse.duckdb'));
  const connection = await instance.connect();
  await connection.run(statement);
  // A connection that is left open keeps the file open too, and of two instances on a file one loses what the other wrote.
  connection.closeSync();
  instance.closeSync();
}

/** Sends all events, one of them to no avail, and loads them in three objects and a copy of the second. */
async function fill({ sentFile, ledgerFile, dataDir }: Evidence): Promise<void> {
  const place = (part: string) => ({ pipeline: 'faults', dataDir, part });
  const lake = folderLake().open(place('lake'));
  const warehouse = duckdb().open(place('warehouse'));
  const ledger = new Ledger(ledgerFile);
  writeFileSync(sentFile, [...events, { id: newId(), number: 60 }].map((event) => `${bodyOf(event)}\n`).join(''));
  await warehouse.migrate(shapes, 'apply');
  for (const from of [0, 20, 20, 40]) {
    const batch = newId();
    const some = events.slice(from, from + 20);
    const deliveries = some.map((event) => ({
      id: event.id,
      body: Buffer.from(bodyOf(event)),
      attributes: {},
      sentAt: new Date(),
    }));
    const { body, sha256 } = await encodeBatch({ source: 'app', batch, dedupeMs: 1_000, deliveries });
    const key = objectKey({ source: 'app', batch, events: 20, hash: sha256.slice(0, 32) });
    await lake.put(key, body);
    for (const shape of shapes) {
      const copies = some.map((event) => copyOf(event, shape.name));
      const load = await stageLoad(lake, shape, 'keep', [{ batch, copies }]);
      const named = { ...load, batches: load.batches.map((each) => ({ ...each, key })) };
      await warehouse.load(named, lake, new AbortController().signal);
    }
  }
  for (const event of events) ledger.append(event.id, Buffer.from(bodyOf(event)));
  ledger.close();
  await warehouse.close();
}

function copyOf({ id, number }: NumberedEvent, table: string): Copy {
  const event = someEvent({ id });
  const rows = expectedRows[table]!(number);
  return rows === 'rejected' ? { event, reason: 'number: is not taken' } : { event, rows };
}

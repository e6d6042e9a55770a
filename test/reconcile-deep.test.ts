import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { z } from 'zod';

import { newId } from '../src/ids.js';
import { parseObjectKey } from '../src/keys.js';
import { amendable } from '../src/reconcile/repair.js';
import { defineTable, type Table } from '../src/tables.js';
import { DeepWorld, type SentEvent } from './deep-world.js';

/** Takes all but events of kind `other`, rejects those without `n`, and makes `rows` rows of the rest. */
function partsTable({ version = 1, more = 0 } = {}): Table {
  return defineTable('parts', {
    version,
    match: ({ attributes }) => attributes['kind'] !== 'other',
    event: z.object({ n: z.number(), rows: z.number().default(1) }),
    row: z.object({ n: z.int(), part: z.int() }),
    rows: ({ n, rows }) => Array.from({ length: rows + more }, (_, part) => ({ n, part })),
  });
}
/** A table of a name that SQL has for itself. */
const order = defineTable('order', {
  event: z.object({ n: z.number() }),
  row: z.object({ n: z.int() }),
  rows: ({ n }) => ({ n }),
});
const parts = partsTable();

/** By `n`: 0 to 3 rows; the last of each six is rejected, the one before is of another kind. */
function events(count: number): SentEvent[] {
  return Array.from({ length: count }, (_, n) => {
    if (n % 6 === 5) return { body: { bad: n } };
    return { body: { n, rows: n % 4 }, ...(n % 6 === 4 && { attributes: { kind: 'other' } }) };
  });
}

let world: DeepWorld;
beforeEach(async () => {
  world = await DeepWorld.make(parts, order);
});
afterEach(() => world.close());

const all = { ok: true, missing: 0, uneven: 0, extra: 0 };
const leftovers = (): string[] =>
  readdirSync(world.folder.dataDir).filter((name) => name.startsWith('catchment-reconcile-'));

describe('what holds', () => {
  test('every identity is compared, whatever came of it, of copies and of several tables', async () => {
    const sent = events(60).map((event) => ({ id: newId(), ...event }));
    const keys = [await world.store(sent), await world.store(sent.slice(0, 30)), await world.store([...sent, ...sent])];
    await world.load(parts, keys.slice(0, 1));
    await world.load(parts, keys.slice(1));
    await world.load(order, keys);
    const report = await world.reconcile([parts, order]);
    expect(report).toMatchObject({ ok: true, objects: { lake: 3, events: 210, unreadable: 0 } });
    const makes = sent.filter(({ body, attributes }) => {
      const { n, rows } = body as { n?: number; rows?: number };
      return attributes === undefined && (n === undefined || rows! > 0);
    });
    expect(report.tables['parts']!.identities).toEqual({
      ...{ compared: makes.length, missing: 0, uneven: 0, extra: 0, examples: [] },
    });
    expect(report.tables['order']!.identities!.compared).toBe(60);
    expect(leftovers()).toEqual([]);
  });

  test('what is not loaded yet, or by a lower version only, is not compared', async () => {
    const [first, second] = [await world.store(events(6)), await world.store(events(6))];
    await world.load(parts, [first]);
    expect(await world.identities(partsTable({ version: 2, more: 1 }))).toMatchObject({
      compared: 0,
      missing: 0,
      uneven: 0,
    });
    await world.load(partsTable({ version: 2, more: 1 }), [second]);
    const report = await world.reconcile([partsTable({ version: 2, more: 1 })]);
    expect(report).toMatchObject({ ok: true, tables: { parts: { objectsOutdated: 1, identities: { compared: 5 } } } });
  });

  test('a copy that another version loaded first keeps that version’s rows', async () => {
    const sent = [{ id: 'one', body: { n: 1 } }];
    const [first, second] = [await world.store(sent), await world.store([...sent, { body: { n: 2 } }])];
    await world.load(parts, [first]);
    const next = partsTable({ version: 2, more: 1 });
    await world.load(next, [second]);
    expect(await world.identities(next)).toEqual({ ...all, compared: 1 });
    await world.load(next, [first], 'replace');
    expect(await world.identities(next)).toEqual({ ...all, compared: 2 });
  });

  test('a copy with other attributes, which makes nothing, may have been the last that was replaced', async () => {
    const body = { n: 1 };
    const first = await world.store([{ id: 'one', body }]);
    const second = await world.store([{ id: 'one', body, attributes: { kind: 'other' } }]);
    await world.load(parts, [first, second]);
    const next = partsTable({ version: 2 });
    await world.load(next, [first], 'replace');
    await world.load(next, [second], 'replace');
    expect(await world.identities(next)).toEqual({ ...all, compared: 0 });
  });

  test('of copies in one object, one makes the rows', async () => {
    const sent = events(6).map((event, n) => ({ id: `event ${n}`, ...event }));
    await world.load(parts, [await world.store([...sent, ...sent])]);
    expect(await world.identities(parts)).toEqual({ ...all, compared: 4 });
    await world.folder.byHand('DELETE FROM parts WHERE n = 3 AND part = 2');
    expect(await world.identities(parts)).toEqual({ ...all, ok: false, compared: 4, uneven: 1 });
  });

  test('history that the table does not owe is compared where it was loaded', async () => {
    await world.load(parts, [await world.store(events(6))]);
    await world.store(events(6));
    const late = { ...parts, since: new Date(Date.now() + 60_000) };
    expect(await world.identities(late)).toEqual({ ...all, compared: 4 });
  });

  test('what a newer version than the config’s made is not judged', async () => {
    const key = await world.store(events(12));
    await world.load(parts, [key]);
    await world.load(partsTable({ version: 2, more: 1 }), [key], 'replace');
    const { ok, tables } = await world.reconcile([parts]);
    expect(ok).toBe(true);
    expect(tables['parts']!.identities).toMatchObject({
      compared: 0,
      missing: 0,
      uneven: 0,
      extra: 0,
      newerVersion: 2,
    });
  });

  test('rows of hours that a retention rule took, and of a source that is no more, are none too many', async () => {
    const long = Date.now() - 30 * 86_400_000;
    const idOf = (time: number): string => {
      const hex = time.toString(16).padStart(12, '0');
      return `${hex.slice(0, 8)}-${hex.slice(8)}${newId().slice(13)}`;
    };
    const old = await world.store(events(6), idOf(long));
    const young = await world.store(events(6));
    await world.load(parts, [old, young]);
    await world.lake.remove([old]);
    await world.folder.byHand(
      `INSERT INTO parts SELECT * REPLACE (md5('x') AS _event_key, 'web' AS _source) FROM parts ` +
        `WHERE _batch = '${parseObjectKey(young)!.batch}' LIMIT 1`,
    );
    const { tables } = await world.reconcile([parts]);
    expect(tables['parts']).toMatchObject({ objectsGone: 0, rowsExtra: 1, identities: { compared: 4, extra: 0 } });
  });
});

describe('what goes on meanwhile is no fault:', () => {
  const later = partsTable({ version: 2, more: 1 });
  test.each<[string, (key: string) => Promise<unknown>, Table]>([
    [
      'objects stored and loaded, copies among them',
      async () => {
        const key = await world.store([{ id: 'one', body: { n: 1 } }, ...events(30)]);
        return world.load(parts, [key]);
      },
      parts,
    ],
    ['rows replaced by a newer version', (key) => world.load(later, [key], 'replace'), parts],
    [
      'rows taken by a newer version',
      (key) => world.load(partsTable({ version: 2, more: -9 }), [key], 'replace'),
      parts,
    ],
    ['rows replaced by this version', (key) => world.load(later, [key], 'replace'), later],
    [
      'a table widened',
      () => {
        const { shape } = parts;
        const columns = [...shape.columns, { name: 'later', type: 'string', nullable: true } as const];
        return world.folder.warehouse.migrate([{ ...shape, columns }], 'apply');
      },
      parts,
    ],
  ])('%s', async (_, meanwhile, table) => {
    const key = await world.store([{ id: 'one', body: { n: 1 } }, ...events(30)]);
    await world.load(parts, [key]);
    let done = false;
    world.meanwhile = async () => {
      await meanwhile(key);
      done = true;
    };
    expect(await world.identities(table)).toMatchObject(all);
    expect(done).toBe(true);
  });

  test('a table whose rows and rejections are not read of one moment', async () => {
    const key = await world.store(events(30));
    await world.load(parts, [key]);
    world.unseen = ({ version, rejected }) => version === 1 && rejected;
    expect(await world.identities(parts)).toEqual({ ...all, compared: 20 });
    expect(world.unseen).toBeUndefined();
  });

  test('a rejection cleared', async () => {
    const key = await world.store(events(30));
    const strict = defineTable('parts', {
      row: z.object({ n: z.int(), part: z.int() }),
      rows: () => {
        throw new Error('not yet');
      },
    });
    await world.load(strict, [key]);
    world.meanwhile = async () => {
      expect(await world.load(parts, [key], 'rejected')).toMatchObject({ cleared: 30 });
    };
    expect(await world.identities(parts)).toMatchObject(all);
  });
});

describe('what is planted', () => {
  let keys: string[];
  beforeEach(async () => {
    keys = [];
    for (let n = 0; n < 4; n++) keys.push(await world.store(events(60)));
    await world.load(parts, keys);
    expect(await world.reconcile([parts], { deep: false })).toMatchObject({ ok: true });
    expect(await world.identities(parts)).toMatchObject(all);
  });

  const fileOf = (key: string): string => join(world.folder.dataDir, 'lake', key);
  /** With other bytes, or none at all. */
  const change = (key: string, bytes: Uint8Array): void => {
    chmodSync(fileOf(key), 0o644);
    writeFileSync(fileOf(key), bytes);
  };
  const rowOf = (where: string): string => `(SELECT min(rowid) FROM parts WHERE ${where})`;
  const single = `n % 4 = 1`;
  const remove = `DELETE FROM parts WHERE rowid = ${rowOf(single)}`;
  const double = `INSERT INTO parts SELECT * FROM parts WHERE rowid = ${rowOf('n % 4 = 2')}`;
  const foreign = `INSERT INTO parts SELECT * REPLACE (md5('x') AS _event_key) FROM parts WHERE rowid = ${rowOf('n % 4 = 3')}`;

  test.each<[string, () => Promise<unknown>, object | 'nothing', object]>([
    ['an object never loaded', () => world.store(events(6)), { objectsMissing: 1 }, {}],
    ['an object removed from the lake', () => world.lake.remove([keys[1]!]), { objectsGone: 1 }, { extra: 40 }],
    ['a deleted row', () => world.folder.byHand(remove), { rowsMissing: 1 }, { missing: 1 }],
    [
      'a row of several deleted',
      () => world.folder.byHand(remove.replace(single, 'n % 4 = 3')),
      { rowsMissing: 1 },
      { uneven: 1 },
    ],
    ['a doubled row', () => world.folder.byHand(double), { rowsExtra: 1, rowsTwice: 1 }, { uneven: 1 }],
    [
      'a deleted row and a doubled row of another event',
      () => world.folder.byHand(remove, double),
      { rowsMissing: 0, rowsExtra: 0, rowsTwice: 1 },
      { missing: 1, uneven: 1 },
    ],
    ['a foreign row', () => world.folder.byHand(foreign), { rowsExtra: 1 }, { extra: 1 }],
    [
      'a deleted row and a foreign row',
      () => world.folder.byHand(remove, foreign),
      'nothing',
      { missing: 1, extra: 1 },
    ],
    [
      'a removed rejection',
      () => world.folder.byHand('DELETE FROM catchment_internal.parts_rejected WHERE line = 6'),
      { rejectionsMissing: 4 },
      { missing: 4 },
    ],
    [
      'a rejection moved from one event to another',
      () =>
        world.folder.byHand(
          `UPDATE catchment_internal.parts_rejected SET event_key = md5(event_key) WHERE line = 6 AND key = '${keys[0]!}'`,
        ),
      'nothing',
      { missing: 1, extra: 1 },
    ],
    [
      'a removed manifest line',
      () => world.folder.byHand(`DELETE FROM catchment_internal.parts_loads WHERE key = '${keys[2]!}'`),
      { objectsMissing: 1, rowsExtra: 60, rejectionsExtra: 10 },
      {},
    ],
  ])('%s is found', async (_, plant, byCounts, byBodies) => {
    await plant();
    const plain = await world.reconcile([parts], { deep: false });
    expect(plain.ok).toBe(byCounts === 'nothing');
    if (byCounts !== 'nothing') expect(plain.tables['parts']).toMatchObject(byCounts);
    const deep = await world.reconcile([parts]);
    expect(deep).toMatchObject({ ok: false, provedUntil: expect.any(String) as string });
    const none = { missing: 0, uneven: 0, extra: 0 };
    expect(deep.tables['parts']!.identities).toMatchObject({ ...none, ...byBodies });
    expect(deep.objects.unreadable).toBe(0);
  });

  test.each<[string, (key: string) => unknown]>([
    ['cut short', (key) => change(key, Buffer.alloc(10))],
    ['changed', (key) => change(key, Buffer.from('something else'))],
    ['gone between the listing and the reading', (key) => (world.meanwhile = () => world.lake.remove([key]))],
  ])('an object %s, long after it was loaded, is found by its bytes alone', async (_, plant) => {
    expect(await world.reconcile([parts], { deep: false })).toMatchObject({ ok: true });
    plant(keys[3]!);
    const report = await world.reconcile([parts]);
    expect(report).toMatchObject({ ok: false, objects: { lake: 4, unreadable: 1, unreadableKeys: [keys[3]] } });
    expect(report.tables['parts']!.identities).toMatchObject({ missing: 0, uneven: 0, extra: 0 });
  });

  test('is told with the identities and when their batches closed', async () => {
    await world.folder.byHand(`DELETE FROM parts WHERE _batch = '${parseObjectKey(keys[1]!)!.batch}'`);
    const { identities } = (await world.reconcile([parts])).tables['parts']!;
    expect(identities).toMatchObject({ missing: 30, uneven: 0, extra: 0 });
    expect(identities!.examples).toHaveLength(10);
    const closedAt = new Date(Number.parseInt(parseObjectKey(keys[1]!)!.batch.replace('-', '').slice(0, 12), 16));
    expect(identities!.within).toEqual({ from: closedAt.toISOString(), to: closedAt.toISOString() });
  });
});

describe('the manifest is amended', () => {
  beforeEach(async () => world.load(parts, [await world.store(events(60))]));

  test('where every event has what it makes, and the sums alone differ', async () => {
    await world.folder.byHand('UPDATE catchment_internal.parts_loads SET rows = rows + 1, cleared = cleared + 1');
    expect(amendable(await world.reconcile([parts]))).toEqual(['parts']);
  });

  const foreign = (what: string): string => `INSERT INTO parts SELECT * REPLACE (${what}) FROM parts LIMIT 1`;
  test.each([
    ['a row of no event', foreign(`'by hand' AS _event_key`), { rowsExtra: 1 }],
    ['a row of a source that is no more', foreign(`md5('x') AS _event_key, 'web' AS _source`), { rowsExtra: 1 }],
    [
      'a deleted row of an event whose other copy makes nothing',
      `DELETE FROM parts WHERE n = 1000`,
      { rowsMissing: 1 },
    ],
  ])('not where that could hide %s', async (_, statement, differs) => {
    const [id, body] = ['one', { n: 1_000 }];
    const copies = [
      await world.store([{ id, body }]),
      await world.store([{ id, body, attributes: { kind: 'other' } }]),
    ];
    await world.load(parts, copies);
    expect(await world.reconcile([parts])).toMatchObject({ ok: true });
    await world.folder.byHand(statement);
    const report = await world.reconcile([parts]);
    expect(report.tables['parts']).toMatchObject({ ...differs, identities: { missing: 0, uneven: 0, extra: 0 } });
    expect(amendable(report)).toEqual([]);
  });
});

test('what it remembers is removed, though it is given up or fails', async () => {
  await world.load(parts, [await world.store(events(60))]);
  const given = new AbortController();
  world.meanwhile = async () => given.abort(await Promise.resolve(new Error('enough')));
  await expect(world.reconcile([parts], { signal: given.signal })).rejects.toThrow('enough');
  world.meanwhile = () => Promise.reject(new Error('down'));
  await expect(world.reconcile([parts])).rejects.toThrow('down');
  expect(leftovers()).toEqual([]);
});

import { newId } from '../../src/ids.js';
import { zero, never, type WarehouseContext } from './warehouse-context.js';
import { batchOf, keyOf, someEvent } from './warehouse-loads.js';

export function keepTests(c: WarehouseContext): void {
  const { test, made, stage, load, query, labels, audit, rowOf, reject } = c;

  describe('keep', () => {
    test('loads rows with their system columns, and a manifest line', async () => {
      const table = await made(3);
      const event = someEvent();
      const batch = batchOf(rowOf(event, 'a', 'b'));
      expect(await load(table, 'keep', batch)).toEqual({ ...zero, events: 1, matched: 1, rows: 2 });
      expect(
        await query(
          `SELECT label, n, _event_key, _event_id, _source, _row, _sent_at, _batch, _version FROM ${table.name} ORDER BY _row`,
        ),
      ).toEqual(
        ['a', 'b'].map((label, i) => ({
          label,
          n: i,
          _event_key: event.key,
          _event_id: event.id,
          _source: 'app',
          _row: i,
          _sent_at: event.sentAt,
          _batch: batch.batch,
          _version: 3,
        })),
      );
      const lines = await query(`SELECT * FROM catchment_loads WHERE table_name = '${table.name}'`);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatchObject({ version: 3, batch: batch.batch, key: keyOf(batch), rows: 2, problem: null });
      expect((await audit(table)).loadedAt).toBeInstanceOf(Date);
    });

    test('a table may have any name, those of tables in between included', async () => {
      for (const name of ['staged', 'refused', 'judged', 'chosen', 'copy', 'present', 'lines', 'select']) {
        const table = { ...c.shapeOf(), name };
        await c.warehouse.migrate([table], 'apply');
        const event = someEvent();
        await load(table, 'keep', batchOf(rowOf(event, 'a')));
        // The second copy has it judged in full.
        expect(await load(table, 'keep', batchOf(rowOf(event, 'a'), rowOf(someEvent(), 'b')))).toMatchObject({
          rows: 1,
          duplicates: 1,
        });
        expect(await audit(table)).toMatchObject({ rows: 2, rowsCounted: 2 });
      }
    });

    test('counts two copies in one load once', async () => {
      const table = await made();
      const event = someEvent();
      const first = batchOf(rowOf(event, 'a', 'b'), rowOf(someEvent(), 'c'), rowOf(event, 'a', 'b'));
      const second = batchOf(rowOf(event, 'a', 'b'));
      expect(await load(table, 'keep', first, second)).toEqual({
        ...zero,
        events: 4,
        matched: 4,
        rows: 3,
        duplicates: 2,
      });
      expect(await labels(table)).toEqual(['a', 'b', 'c']);
      await audit(table);
    });

    test('takes the rows of one copy where two differ', async () => {
      const table = await made();
      const event = someEvent();
      await load(table, 'keep', batchOf(rowOf(event, 'a'), rowOf(event, 'x', 'y', 'z')));
      expect(await labels(table)).toEqual(['a']);
      await audit(table);
    });

    test('counts two copies in two loads once', async () => {
      const table = await made();
      const event = someEvent();
      await load(table, 'keep', batchOf(rowOf(event, 'a', 'b')));
      expect(await load(table, 'keep', batchOf(rowOf(event, 'a', 'b'), rowOf(someEvent(), 'c')))).toEqual({
        ...zero,
        events: 2,
        matched: 2,
        rows: 1,
        duplicates: 1,
      });
      expect(await labels(table)).toEqual(['a', 'b', 'c']);
      await audit(table);
    });

    test('keeps both events of one id and different bodies, and counts the conflict', async () => {
      const table = await made();
      const id = newId();
      await load(
        table,
        'keep',
        batchOf(rowOf(someEvent({ id, body: '1' }), 'a'), rowOf(someEvent({ id, body: '2' }), 'b')),
      );
      expect(await labels(table)).toEqual(['a', 'b']);
      expect(await audit(table)).toMatchObject({ conflicts: 1, rowsTwice: 0 });
    });

    test('leaves a loaded batch out, at any version', async () => {
      const table = await made();
      const batch = batchOf(rowOf(someEvent(), 'a'));
      await load(table, 'keep', batch);
      const next = batchOf(rowOf(someEvent(), 'b'));
      expect(await load({ ...table, version: 2 }, 'keep', batch, next)).toMatchObject({ events: 1, rows: 1 });
      expect(await load({ ...table, version: 2 }, 'keep', batch)).toEqual(zero);
      expect(await audit(table)).toMatchObject({ events: 2, rows: 2 });
    });

    test('writes a line for a batch of which the table takes nothing', async () => {
      const table = await made();
      const nothing = { ...batchOf(), copies: [] };
      expect(await load(table, 'keep', nothing)).toEqual(zero);
      expect(await c.warehouse.missing(table, [nothing.batch], 'any version')).toEqual([]);
    });

    test('answers a repeat of a load alike, and changes nothing', async () => {
      const table = await made();
      const event = someEvent();
      const plan = await stage(table, 'keep', [
        batchOf(rowOf(event, 'a'), rowOf(event, 'a'), reject(someEvent())),
        batchOf(rowOf(someEvent(), 'b')),
      ]);
      const first = await c.warehouse.load(plan, c.subject.lake, never);
      const before = await audit(table);
      expect(await c.warehouse.load(plan, c.subject.lake, never)).toEqual(first);
      expect(await audit(table)).toEqual(before);
    });

    test('loads each event once where eight loads of overlapping batches run at once', async () => {
      const table = await made();
      const events = Array.from({ length: 200 }, () => someEvent());
      const batches = Array.from({ length: 8 }, (_, i) =>
        batchOf(...events.slice(i * 20, i * 20 + 60).map((event) => rowOf(event, event.id, 'second'))),
      );
      const plans = await Promise.all(
        batches.map((batch, i) => stage(table, 'keep', [batch, batches[(i + 1) % 8]!, batches[(i + 3) % 8]!])),
      );
      const other = c.subject.open();
      await Promise.all(plans.map((plan, i) => (i % 2 === 0 ? c.warehouse : other).load(plan, c.subject.lake, never)));
      await other.close();
      expect(await audit(table)).toMatchObject({ events: 480, rows: 400, duplicates: 280, rowsCounted: 400 });
    });

    test('loads two tables at once with no retry', async () => {
      const tables = [await made(), await made()];
      for (let round = 0; round < 3; round++) {
        const events = Array.from({ length: 100 }, () => rowOf(someEvent(), 'a'));
        await Promise.all(tables.map((table) => load(table, 'keep', batchOf(...events))));
      }
      for (const table of tables) expect(await audit(table)).toMatchObject({ rows: 300, events: 300 });
    });

    test('loads 20,000 rows', async () => {
      const table = await made();
      const batches = Array.from({ length: 4 }, () =>
        batchOf(...Array.from({ length: 5_000 }, () => rowOf(someEvent(), 'x'.repeat(200)))),
      );
      expect(await load(table, 'keep', ...batches)).toMatchObject({ events: 20_000, rows: 20_000 });
      expect(await audit(table)).toMatchObject({ rowsCounted: 20_000 });
    });
  });
}

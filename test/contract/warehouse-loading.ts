import { TableMissing } from '../../src/errors.js';
import { newId } from '../../src/ids.js';
import type { Load, Warehouse } from '../../src/providers/warehouse.js';
import { text, zero, never, type WarehouseContext } from './warehouse-context.js';
import { batchOf, someEvent, unreadable } from './warehouse-loads.js';

export function loadingTests(c: WarehouseContext): void {
  const { test, shapeOf, made, stage, load, audit, rowOf, reject } = c;

  describe('problems', () => {
    test('leave a line that never counts as loaded, until the object can be read', async () => {
      const table = await made();
      const batch = batchOf(rowOf(someEvent(), 'a'));
      const good = batchOf(rowOf(someEvent(), 'b'));
      expect(await load(table, 'keep', unreadable(batch.batch, 'gone'), good)).toMatchObject({ events: 1, rows: 1 });
      expect(await load(table, 'keep', unreadable(batch.batch, 'gone'))).toEqual(zero);
      expect(await c.warehouse.missing(table, [good.batch, batch.batch], 'any version')).toEqual([batch.batch]);
      expect(await audit(table)).toMatchObject({ events: 1, unreadable: 1 });
      expect(await load(table, 'keep', batch)).toMatchObject({ events: 1, rows: 1 });
      expect(await c.warehouse.missing(table, [batch.batch], 'any version')).toEqual([]);
      expect(await audit(table)).toMatchObject({ events: 2, unreadable: 0, rowsCounted: 2 });
      expect(await load(table, 'keep', unreadable(batch.batch, 'corrupt'))).toEqual(zero);
      expect(await audit(table)).toMatchObject({ unreadable: 0 });
    });
  });

  describe('what is missing', () => {
    test('is told for any version and for this one', async () => {
      const table = await made();
      const batches = Array.from({ length: 4 }, () => batchOf(rowOf(someEvent(), 'a')));
      await load(table, 'keep', batches[0]!);
      await load({ ...table, version: 2 }, 'keep', batches[1]!);
      await load({ ...table, version: 3 }, 'keep', batches[2]!);
      const ids = batches.map(({ batch }) => batch);
      const at = (version: number, which: Parameters<Warehouse['missing']>[2]) =>
        c.warehouse.missing({ ...table, version }, ids, which);
      expect(await at(1, 'any version')).toEqual([ids[3]]);
      expect(await at(2, 'any version')).toEqual([ids[3]]);
      expect(await at(2, 'this version or higher')).toEqual([ids[0], ids[3]]);
      expect(await at(4, 'this version or higher')).toEqual(ids);
      expect(await c.warehouse.missing(table, [], 'any version')).toEqual([]);
    });

    test('is told of 1,000 batches at once', async () => {
      const table = await made();
      const ids = Array.from({ length: 1_000 }, () => newId());
      await load(table, 'keep', ...ids.slice(0, 100).map((batch) => ({ batch, copies: [] })));
      expect(await c.warehouse.missing(table, ids, 'any version')).toEqual(ids.slice(100));
    });
  });

  describe('a load', () => {
    test('that is only probed changes nothing', async () => {
      const table = await made();
      const plan = await stage(table, 'keep', [batchOf(rowOf(someEvent(), 'a'), reject(someEvent()))]);
      await c.warehouse.probe(plan, c.subject.lake, never);
      expect(await audit(table)).toMatchObject({ events: 0, rowsCounted: 0, rejectionsCounted: 0 });
      expect(await c.warehouse.load(plan, c.subject.lake, never)).toMatchObject({ rows: 1, rejected: 1 });
    });

    test('into a table or a column that is not there says so', async () => {
      const nowhere = await stage(shapeOf(), 'keep', [batchOf(rowOf(someEvent(), 'a'))]);
      await expect(c.warehouse.load(nowhere, c.subject.lake, never)).rejects.toBeInstanceOf(TableMissing);
      const table = await made();
      const wider = { ...table, columns: [...table.columns, text('later')] };
      const plan = await stage(wider, 'keep', [batchOf(rowOf(someEvent(), 'a'))]);
      await expect(c.warehouse.load(plan, c.subject.lake, never)).rejects.toMatchObject({
        constructor: TableMissing,
        where: { table: table.name, column: 'later' },
      });
    });

    test('whose file is gone or is not what was written fails, and changes nothing', async () => {
      const table = await made();
      const plan = await stage(table, 'keep', [batchOf(rowOf(someEvent(), 'a')), batchOf(rowOf(someEvent(), 'b'))]);
      const [first, second] = plan.batches as [Load['batches'][number], Load['batches'][number]];
      const other = { ...first, rowsFile: { ...first.rowsFile!, sha256: second.rowsFile!.sha256 } };
      await expect(c.warehouse.load({ ...plan, batches: [other] }, c.subject.lake, never)).rejects.toThrow(
        first.rowsFile!.key,
      );
      await c.subject.lake.remove([second.rowsFile!.key]);
      await expect(c.warehouse.load(plan, c.subject.lake, never)).rejects.toThrow(second.rowsFile!.key);
      expect(await audit(table)).toMatchObject({ events: 0, rowsCounted: 0 });
    });

    test('that is given up changes nothing, and may be made again', async () => {
      const table = await made();
      const batch = batchOf(...Array.from({ length: 5_000 }, () => rowOf(someEvent(), 'x'.repeat(100))));
      const plan = await stage(table, 'keep', [batch]);
      const ends = await Promise.allSettled(
        [0, 1, 5, 20, 60].map((ms) =>
          c.warehouse.load({ ...plan, id: newId() }, c.subject.lake, AbortSignal.timeout(ms)),
        ),
      );
      const loaded = ends.filter((end) => end.status === 'fulfilled' && end.value.rows > 0).length;
      expect(loaded).toBeLessThanOrEqual(1);
      await expect(c.warehouse.load(plan, c.subject.lake, AbortSignal.abort())).rejects.toThrow();
      await c.warehouse.load(plan, c.subject.lake, never);
      expect(await audit(table)).toMatchObject({ events: 5_000, rowsCounted: 5_000 });
    });
  });
}

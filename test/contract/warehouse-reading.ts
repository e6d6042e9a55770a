import { TableMissing } from '../../src/errors.js';
import { newId } from '../../src/ids.js';
import { longAgo, type WarehouseContext } from './warehouse-context.js';
import { batchOf, someEvent } from './warehouse-loads.js';

export function readingTests(c: WarehouseContext): void {
  const { test, shapeOf, made, load, query, audit, rowOf } = c;

  describe('audit', () => {
    test('finds a deleted and a doubled row', async () => {
      const table = await made();
      await load(table, 'keep', batchOf(rowOf(someEvent(), 'a'), rowOf(someEvent(), 'b'), rowOf(someEvent(), 'c')));
      await c.warehouse.close();
      await c.subject.damage(table.name, 'double one row');
      c.warehouse = c.subject.open();
      expect(await c.warehouse.audit(table, longAgo)).toMatchObject({ rows: 3, rowsCounted: 4, rowsTwice: 1 });
      expect(await c.warehouse.audit(table, new Date('2100-01-01'))).toMatchObject({ rowsCounted: 4, rowsTwice: 0 });
      await c.warehouse.close();
      for (const _ of [1, 2]) await c.subject.damage(table.name, 'delete one row');
      c.warehouse = c.subject.open();
      expect((await c.warehouse.audit(table, longAgo)).rowsCounted).toBeLessThan(3);
    });

    test('of a table that is not there says so', async () => {
      const table = shapeOf();
      await expect(c.warehouse.audit(table, longAgo)).rejects.toBeInstanceOf(TableMissing);
      await expect(c.warehouse.missing(table, [newId()], 'any version')).rejects.toBeInstanceOf(TableMissing);
      await expect(c.warehouse.rejections(table.name, { limit: 1 })).rejects.toBeInstanceOf(TableMissing);
    });
  });

  describe('query', () => {
    test('answers beside loads, from every instance', async () => {
      const table = await made();
      await load(table, 'keep', batchOf(rowOf(someEvent(), 'a')));
      const other = c.subject.open();
      expect(await query(`SELECT label, n FROM ${table.name}`, other)).toEqual([{ label: 'a', n: 0 }]);
      await other.close();
    });

    test('ends when its consumer stops', async () => {
      const table = await made();
      await load(table, 'keep', batchOf(...Array.from({ length: 3_000 }, () => rowOf(someEvent(), 'a'))));
      let seen = 0;
      for await (const _ of c.warehouse.query(`SELECT a.label FROM ${table.name} a CROSS JOIN ${table.name} b`)) {
        if (++seen === 10) break;
      }
      expect(seen).toBe(10);
      await audit(table);
    });

    test('with a mistake fails with what is wrong', async () => {
      await expect(query(`SELECT nope FROM catchment_loads`)).rejects.toThrow('nope');
    });
  });
}

import { SchemaConflict, TableMissing } from '../../src/errors.js';
import { text, type WarehouseContext } from './warehouse-context.js';
import { batchOf, someEvent } from './warehouse-loads.js';

export function migrateTests(c: WarehouseContext): void {
  const { test, shapeOf, made, load, query, audit, rowOf } = c;

  describe('migrate', () => {
    test('makes a table once, and records from when it owes', async () => {
      const before = Date.now() - 5_000;
      const table = shapeOf();
      await expect(c.warehouse.owesFrom(table.name)).rejects.toBeInstanceOf(TableMissing);
      expect(await c.warehouse.migrate([table], 'plan')).toEqual([{ table: table.name, what: 'create table' }]);
      await expect(c.warehouse.owesFrom(table.name)).rejects.toBeInstanceOf(TableMissing);
      expect(await c.warehouse.migrate([table], 'apply')).toEqual([{ table: table.name, what: 'create table' }]);
      const since = await c.warehouse.owesFrom(table.name);
      expect(since.getTime()).toBeGreaterThan(before);
      expect(await c.warehouse.migrate([table], 'apply')).toEqual([]);
      await c.warehouse.migrate([{ ...table, version: 2, columns: [...table.columns, text('more')] }], 'apply');
      expect(await c.warehouse.owesFrom(table.name)).toEqual(since);
    });

    test('widens a table, whose older rows and older workers go on', async () => {
      const table = await made();
      await load(table, 'keep', batchOf(rowOf(someEvent(), 'old')));
      const wider = { ...table, version: 2, columns: [...table.columns, { ...text('more'), nullable: false }] };
      expect(await c.warehouse.migrate([wider], 'plan')).toEqual([
        { table: table.name, what: 'add column', column: 'more' },
      ]);
      await c.warehouse.migrate([wider], 'apply');
      await load(wider, 'keep', batchOf({ event: someEvent(), rows: [{ label: 'new', n: '1', more: 'm' }] }));
      await load(table, 'keep', batchOf(rowOf(someEvent(), 'older')));
      expect(await c.warehouse.migrate([table], 'apply')).toEqual([]);
      expect(await query(`SELECT label, more FROM ${table.name} ORDER BY label`)).toEqual([
        { label: 'new', more: 'm' },
        { label: 'old', more: null },
        { label: 'older', more: null },
      ]);
    });

    test('refuses another type for a column, and does the other tables', async () => {
      const table = await made();
      const other = shapeOf();
      const changed = { ...table, columns: [{ ...text('n') }, text('label'), text('fresh')] };
      await expect(c.warehouse.migrate([changed], 'plan')).rejects.toBeInstanceOf(SchemaConflict);
      await expect(c.warehouse.migrate([changed, other], 'apply')).rejects.toMatchObject({
        constructor: SchemaConflict,
        where: { table: table.name, column: 'n' },
      });
      expect(await c.warehouse.migrate([other], 'apply')).toEqual([]);
      expect(
        await c.warehouse.migrate([{ ...table, columns: [...table.columns, text('fresh')] }], 'plan'),
      ).toHaveLength(1);
    });

    test('is safe from several processes and beside loads', async () => {
      const table = await made();
      const others = [c.subject.open(), c.subject.open()];
      const fresh = shapeOf();
      const work = Array.from({ length: 6 }, async (_, i) => {
        const columns = [...table.columns, text(`extra_${i % 3}`)];
        await (others[i % 2] ?? c.warehouse).migrate([{ ...table, columns }, fresh], 'apply');
      });
      const loads = Array.from({ length: 6 }, () => load(table, 'keep', batchOf(rowOf(someEvent(), 'a'))));
      await Promise.all([...work, ...loads]);
      await Promise.all(others.map((other) => other.close()));
      expect(await audit(table)).toMatchObject({ rowsCounted: 6 });
      expect(await c.warehouse.migrate([fresh], 'plan')).toEqual([]);
    });
  });
}

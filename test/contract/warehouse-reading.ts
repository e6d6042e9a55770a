import { TableMissing } from '../../src/errors.js';
import { newId } from '../../src/ids.js';
import type { Held } from '../../src/providers/warehouse.js';
import { longAgo, type WarehouseContext } from './warehouse-context.js';
import { batchOf, keyOf, someEvent, unreadable } from './warehouse-loads.js';

export function readingTests(c: WarehouseContext): void {
  const { test, shapeOf, made, load, query, audit, rowOf, reject } = c;

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

    test('holds again once the manifest is amended, which changes no row and is done once', async () => {
      const table = await made();
      const [kept, rejected] = [
        batchOf(rowOf(someEvent(), 'a'), rowOf(someEvent(), 'b')),
        batchOf(reject(someEvent())),
      ];
      await load(table, 'keep', kept, rejected);
      expect(await c.warehouse.amend(table)).toEqual({ rows: 0, rejections: 0 });
      await c.warehouse.close();
      await c.subject.damage(table.name, 'delete one row');
      c.warehouse = c.subject.open();
      expect(await c.warehouse.amend(table)).toEqual({ rows: 1, rejections: 0 });
      expect(await c.warehouse.amend(table)).toEqual({ rows: 0, rejections: 0 });
      expect(await audit(table)).toMatchObject({ rowsCounted: 1, rejectionsCounted: 1, events: 3 });
      await c.warehouse.close();
      await c.subject.damage(table.name, 'double one row');
      c.warehouse = c.subject.open();
      expect(await c.warehouse.amend(table)).toEqual({ rows: -1, rejections: 0 });
      expect(await c.warehouse.audit(table, longAgo)).toMatchObject({ rows: 2, removed: 0, rowsCounted: 2 });
      const everything = { after: '', upTo: '~', limit: 9 };
      expect(await c.warehouse.loaded(table.name, everything)).toEqual([kept, rejected].map(keyOf).sort());
    });

    test('of a table that is not there says so', async () => {
      const table = shapeOf();
      await expect(c.warehouse.audit(table, longAgo)).rejects.toBeInstanceOf(TableMissing);
      await expect(c.warehouse.missing(table, [newId()], 'any version')).rejects.toBeInstanceOf(TableMissing);
      await expect(c.warehouse.rejections(table.name, { limit: 1 })).rejects.toBeInstanceOf(TableMissing);
      const all = { after: '', upTo: '~', limit: 1 };
      await expect(c.warehouse.loaded(table.name, all)).rejects.toBeInstanceOf(TableMissing);
    });
  });

  describe('what is loaded', () => {
    test('is told by key, each once and in order, those with a problem left out', async () => {
      const table = await made();
      const batches = Array.from({ length: 5 }, () => batchOf(rowOf(someEvent(), 'a')));
      const keys = batches.map(keyOf).sort();
      const lost = newId();
      for (const batch of [...batches].reverse()) await load(table, 'keep', batch);
      await load({ ...table, version: 2 }, 'replace', batches[0]!);
      await load(table, 'keep', unreadable(lost, 'gone'));
      const told = (after: string, upTo: string, limit: number) =>
        c.warehouse.loaded(table.name, { after, upTo, limit });
      expect(await told('raw/app/', 'raw/app/~', 9)).toEqual(keys);
      expect(await told('raw/app/', 'raw/app/~', 2)).toEqual(keys.slice(0, 2));
      expect(await told(keys[1]!, keys[3]!, 9)).toEqual(keys.slice(2, 4));
      expect(await told('raw/app-eu/', 'raw/app-eu/~', 9)).toEqual([]);
    });
  });

  describe('what is held', () => {
    const held = async (table: string, eventKeys?: readonly string[]): Promise<Held[]> => {
      const found = [];
      for await (const one of c.warehouse.held(table, eventKeys)) found.push(one);
      return found.sort((a, b) => Number(a.rejected) - Number(b.rejected));
    };

    test('is every row and every rejection, or those of some events', async () => {
      const table = await made(3);
      const [rows, rejected, other] = [someEvent(), someEvent(), someEvent()];
      const batch = batchOf(rowOf(rows, 'a', 'b'), reject(rejected), rowOf(other, 'c'));
      await load(table, 'keep', batch);
      const of = ({ key }: typeof rows, isRejected = false): Held => {
        return { eventKey: key, rejected: isRejected, version: 3, source: 'app', batch: batch.batch };
      };
      const [a, b, third, d] = [of(rows), of(rows), of(other), of(rejected, true)];
      const byKey = (x: Held, y: Held): number => x.eventKey.localeCompare(y.eventKey);
      expect((await held(table.name)).sort(byKey)).toEqual([a, b, third, d].sort(byKey));
      expect(await held(table.name, [rows.key, rejected.key, 'of none'])).toEqual([a, b, d]);
      expect(await held(table.name, [])).toEqual([]);
    });

    test('is told of a table whose name SQL has for itself', async () => {
      const table = { ...shapeOf(), name: 'order' };
      await c.warehouse.migrate([table], 'apply');
      const event = someEvent();
      await load(table, 'keep', batchOf(rowOf(event, 'a')));
      expect((await held('order', [event.key])).map(({ eventKey }) => eventKey)).toEqual([event.key]);
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

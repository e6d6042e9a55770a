import { zero, type WarehouseContext } from './warehouse-context.js';
import { batchOf, keyOf, someEvent } from './warehouse-loads.js';

export function rejectionsTests(c: WarehouseContext): void {
  const { test, made, load, query, labels, audit, rowOf, reject } = c;

  describe('rejections', () => {
    test('are kept with their reason, one an event', async () => {
      const table = await made();
      const event = someEvent();
      const batch = batchOf(
        rowOf(someEvent(), 'a'),
        reject(event, 'ts: expected a date'),
        reject(event, 'ts: expected a date'),
      );
      expect(await load(table, 'keep', batch)).toEqual({
        ...zero,
        events: 3,
        matched: 3,
        rows: 1,
        rejected: 1,
        duplicates: 1,
      });
      expect(await load(table, 'keep', batchOf(reject(event)))).toMatchObject({ rejected: 0, duplicates: 1 });
      expect(await c.warehouse.rejections(table.name, { limit: 10 })).toEqual([
        { key: keyOf(batch), line: 2, reason: 'ts: expected a date' },
      ]);
      expect(
        await query(
          `SELECT version, event_id, reason, line FROM catchment_rejected WHERE table_name = '${table.name}'`,
        ),
      ).toEqual([{ version: 1, event_id: event.id, reason: 'ts: expected a date', line: 2 }]);
      await audit(table);
    });

    test('are cleared by the copy that makes rows, in the same load and in a later one', async () => {
      const table = await made();
      const [first, second] = [someEvent(), someEvent()];
      expect(await load(table, 'keep', batchOf(reject(first)), batchOf(rowOf(first, 'a')))).toMatchObject({
        rows: 1,
        rejected: 0,
        duplicates: 1,
      });
      await load(table, 'keep', batchOf(reject(second)));
      expect(await audit(table)).toMatchObject({ rowsCounted: 1, rejectionsCounted: 1 });
      expect(await load(table, 'keep', batchOf(rowOf(second, 'b')))).toMatchObject({ rows: 1, cleared: 1 });
      expect(await audit(table)).toMatchObject({ rowsCounted: 2, rejectionsCounted: 0 });
      expect(await load(table, 'keep', batchOf(reject(second)))).toMatchObject({ rejected: 0, duplicates: 1 });
      expect(await audit(table)).toMatchObject({ rowsCounted: 2, rejectionsCounted: 0 });
    });

    test('are loaded again by mode rejected, and nothing else is', async () => {
      const table = await made();
      const [good, mended, still] = [someEvent(), someEvent(), someEvent()];
      const batch = batchOf(rowOf(good, 'good'), reject(mended), reject(still, 'old reason'));
      await load(table, 'keep', batch);
      const fresh = batchOf(rowOf(someEvent(), 'never loaded'));
      const again = {
        ...batch,
        copies: [rowOf(good, 'other', 'more'), rowOf(mended, 'mended'), reject(still, 'new reason')],
      };
      expect(await load(table, 'rejected', again, fresh)).toMatchObject({
        rows: 1,
        cleared: 2,
        rejected: 1,
        removed: 0,
      });
      expect(await labels(table)).toEqual(['good', 'mended']);
      expect(await c.warehouse.rejections(table.name, { limit: 10 })).toEqual([
        { key: keyOf(batch), line: 3, reason: 'new reason' },
      ]);
      expect(await c.warehouse.missing(table, [fresh.batch], 'any version')).toEqual([fresh.batch]);
      expect(await audit(table)).toMatchObject({ events: 3, rowsCounted: 2, rejectionsCounted: 1 });
      // An event that now makes no row is rejected no longer.
      expect(await load(table, 'rejected', { ...batch, copies: [{ event: still }] })).toMatchObject({
        rows: 0,
        cleared: 1,
      });
      expect(await audit(table)).toMatchObject({ rowsCounted: 2, rejectionsCounted: 0 });
    });

    test('are told apart by when they were made, also where one is rejected again', async () => {
      const table = await made();
      const batch = batchOf(reject(someEvent()), reject(someEvent()));
      await load(table, 'keep', batch);
      const before = await c.now();
      expect(await c.warehouse.rejections(table.name, { before, limit: 9 })).toHaveLength(2);
      await load(table, 'rejected', batch);
      expect(await c.warehouse.rejections(table.name, { before, limit: 9 })).toEqual([]);
      expect(await c.warehouse.rejections(table.name, { limit: 9 })).toHaveLength(2);
    });

    test('are paged, and found by a part of their reason', async () => {
      const table = await made();
      const reasons = Array.from({ length: 25 }, (_, i) => (i % 2 === 0 ? `user: it's ${i}` : 'price: too big'));
      const batch = batchOf(...reasons.map((reason) => reject(someEvent(), reason)));
      await load(table, 'keep', batch);
      const seen: string[] = [];
      for (let after: string | undefined; ;) {
        const page = await c.warehouse.rejections(table.name, { limit: 10, ...(after === undefined ? {} : { after }) });
        if (page.length === 0) break;
        seen.push(...page.map(({ reason }) => reason));
        after = `${page.at(-1)!.key}:${page.at(-1)!.line}`;
      }
      expect(seen).toEqual(reasons);
      expect(await c.warehouse.rejections(table.name, { after: keyOf(batch), limit: 100 })).toEqual([]);
      expect(await c.warehouse.rejections(table.name, { reason: 'too big', limit: 100 })).toHaveLength(12);
      expect(await c.warehouse.rejections(table.name, { reason: "it's 2", limit: 100 })).toHaveLength(4);
    });
  });
}

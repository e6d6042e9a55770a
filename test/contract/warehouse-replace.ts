import { newId } from '../../src/ids.js';
import { never, zero, type WarehouseContext } from './warehouse-context.js';
import { batchOf, someEvent, type Batch } from './warehouse-loads.js';

export function replaceTests(c: WarehouseContext): void {
  const { test, made, load, labels, audit, rowOf, reject } = c;

  describe('replace', () => {
    test('gives an event fewer rows, or none', async () => {
      const table = await made();
      const [fewer, none, same] = [someEvent(), someEvent(), someEvent()];
      const batch = batchOf(rowOf(fewer, 'a', 'b', 'c'), rowOf(none, 'd', 'e'), rowOf(same, 'f'));
      await load(table, 'keep', batch);
      const next = { ...table, version: 2 };
      const again = { ...batch, copies: [rowOf(fewer, 'A'), { event: none }, rowOf(same, 'F')] };
      expect(await load(next, 'replace', again)).toMatchObject({ rows: 2, removed: 6, duplicates: 0 });
      expect(await labels(table)).toEqual(['A', 'F']);
      expect(await audit(table)).toMatchObject({ rows: 8, removed: 6 });
      expect(await load(next, 'replace', again)).toEqual(zero);
      expect(await c.warehouse.missing(next, [batch.batch], 'this version or higher')).toEqual([]);
    });

    test('takes the rows of an event that is now rejected, and the rejection of one that now is not', async () => {
      const table = await made();
      const [bad, mended, none] = [someEvent(), someEvent(), someEvent()];
      const batch = batchOf(rowOf(bad, 'a', 'b'), reject(mended), reject(none));
      await load(table, 'keep', batch);
      const again = { ...batch, copies: [reject(bad, 'now bad'), rowOf(mended, 'c'), { event: none }] };
      expect(await load({ ...table, version: 2 }, 'replace', again)).toMatchObject({
        rows: 1,
        removed: 2,
        rejected: 1,
        cleared: 2,
      });
      expect(await labels(table)).toEqual(['c']);
      expect((await c.warehouse.rejections(table.name, { limit: 9 })).map(({ reason }) => reason)).toEqual(['now bad']);
      await audit(table);
    });

    test('leaves what a higher version made, be it rows or a rejection', async () => {
      const table = await made();
      const [row, rejected] = [someEvent(), someEvent()];
      const older = batchOf(rowOf(row, 'v1'), rowOf(rejected, 'v1'));
      await load({ ...table, version: 2 }, 'keep', batchOf(rowOf(row, 'v2'), reject(rejected, 'v2')));
      expect(await load(table, 'replace', older)).toMatchObject({ rows: 0, duplicates: 2, removed: 0, cleared: 0 });
      expect(await labels(table)).toEqual(['v2']);
      await audit(table);
      // The object is outdated now, and replaced at the newest version like any other.
      const all = { ...older, copies: [rowOf(row, 'v2'), reject(rejected, 'v2')] };
      expect(await c.warehouse.missing({ ...table, version: 2 }, [older.batch], 'this version or higher')).toEqual([
        older.batch,
      ]);
      await load({ ...table, version: 2 }, 'replace', all);
      expect(await labels(table)).toEqual(['v2']);
      expect(await audit(table)).toMatchObject({ rowsCounted: 1, rejectionsCounted: 1 });
    });

    test('ends alike whatever the order of an old and a new worker', async () => {
      const ends = [];
      for (const order of [
        [1, 2],
        [2, 1],
      ]) {
        const table = await made();
        const event = someEvent({ id: newId() });
        const batches = [batchOf(rowOf(event, 'x')), batchOf(rowOf(event, 'x'), rowOf(someEvent(), 'y'))];
        const copies = (version: number, batch: Batch): Batch => ({
          ...batch,
          copies: batch.copies.map((copy) => ({ ...copy, rows: [{ label: `v${version}`, n: '0' }] })),
        });
        for (const [i, version] of order.entries()) {
          await load({ ...table, version }, 'keep', copies(version, batches[i]!));
        }
        for (const batch of batches) await load({ ...table, version: 2 }, 'replace', copies(2, batch));
        ends.push(await labels(table));
        await audit(table);
      }
      expect(ends).toEqual([
        ['v2', 'v2'],
        ['v2', 'v2'],
      ]);
    });

    test('of this version too, where all before a moment is to be made anew; what is loaded since then is settled', async () => {
      const table = await made();
      const event = someEvent();
      const batch = batchOf(rowOf(event, 'a', 'b', 'c'));
      await load(table, 'keep', batch);
      const again = { ...batch, copies: [rowOf(event, 'A')] };
      expect(await load(table, 'replace', again)).toEqual(zero);
      const anew = await c.now();
      const missing = () => c.warehouse.missing(table, [batch.batch], 'this version or higher', anew);
      expect(await missing()).toEqual([batch.batch]);
      const loadAnew = async () =>
        c.warehouse.load({ ...(await c.stage(table, 'replace', [again])), anew }, c.subject.lake, never);
      expect(await loadAnew()).toMatchObject({ rows: 1, removed: 3 });
      expect(await labels(table)).toEqual(['A']);
      expect(await missing()).toEqual([]);
      expect(await loadAnew()).toEqual(zero);
      await audit(table);
      // A higher version is never undone.
      await load({ ...table, version: 2 }, 'replace', { ...batch, copies: [rowOf(event, 'v2')] });
      const later = await c.now();
      const older = { ...(await c.stage(table, 'replace', [again])), anew: later };
      expect(await c.warehouse.load(older, c.subject.lake, never)).toEqual(zero);
      expect(await labels(table)).toEqual(['v2']);
    });

    test('counts copies within it once', async () => {
      const table = await made();
      const event = someEvent();
      const batches = [batchOf(rowOf(event, 'a')), batchOf(rowOf(event, 'a'), rowOf(event, 'a'))];
      await load(table, 'keep', ...batches);
      expect(await load({ ...table, version: 2 }, 'replace', ...batches)).toMatchObject({
        rows: 1,
        removed: 1,
        duplicates: 2,
      });
      expect(await audit(table)).toMatchObject({ rowsCounted: 1 });
    });
  });
}

import { rejectRefused } from '../../src/activities/refused.js';
import { RowsRefused } from '../../src/errors.js';
import { newId } from '../../src/ids.js';
import { mostRefused, type Load, type TableShape, type Warehouse } from '../../src/providers/warehouse.js';
import { never, zero, type WarehouseContext } from './warehouse-context.js';
import { batchOf, someEvent, stored, type Batch, type Copy, type TestEvent } from './warehouse-loads.js';

const secret = 'secret-value';

export function refusedTests(c: WarehouseContext): void {
  const { test, made, labels, audit, rowOf, reject } = c;

  /** Rows that no transform would let through: the column takes integers. */
  const bad = (event: TestEvent, ...labelled: string[]): Copy => ({
    event,
    rows: labelled.map((label, i) => ({ label, n: i === labelled.length - 1 ? secret : '1' })),
  });
  const stage = async (table: TableShape, existing: Load['existing'], ...batches: Batch[]): Promise<Load> =>
    c.stage(table, existing, await Promise.all(batches.map((batch) => stored(c.subject.lake, batch))));
  const files = () => ({ lake: c.subject.lake, staging: c.subject.lake, folder: `load/${newId()}/t/` });
  const without = (load: Load, warehouse: Pick<Warehouse, 'probe'> = c.warehouse) =>
    rejectRefused(load, warehouse, files(), never);
  const load = (plan: Load) => c.warehouse.load(plan, c.subject.lake, never);
  const refusal = async (work: Promise<unknown>): Promise<RowsRefused> => {
    const error: unknown = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(RowsRefused);
    const { message, where, lines } = error as RowsRefused;
    expect(JSON.stringify([message, where, lines])).not.toContain('secret');
    return error as RowsRefused;
  };

  describe('refused rows', () => {
    test('are named by a probe with their lines, or not at all; nothing of it stays', async () => {
      const table = await made();
      const batches = [
        batchOf(rowOf(someEvent(), 'a'), bad(someEvent(), 'b')),
        batchOf(rowOf(someEvent(), 'c', 'd'), bad(someEvent(), 'e', 'f'), bad(someEvent(), 'g')),
      ];
      const plan = await stage(table, 'keep', ...batches);
      const { where, lines } = await refusal(c.warehouse.probe(plan, c.subject.lake, never));
      expect(where.table).toBe(table.name);
      const there = [
        [0, 2],
        [1, 4],
        [1, 5],
      ].map(([batch, line]) => ({ key: plan.batches[batch!]!.rowsFile!.key, line }));
      for (const { key, line, reason } of lines) {
        expect(there).toContainEqual({ key, line });
        expect(reason).toMatch(/^n: /);
      }
      await refusal(load(plan));
      expect(await audit(table)).toMatchObject({ events: 0, rowsCounted: 0, rejectionsCounted: 0 });
      expect(await c.warehouse.missing(table, [batches[0]!.batch], 'any version')).toEqual([batches[0]!.batch]);
    });

    test('cost all rows and copies of their events, and nothing else; the same load loads the rest', async () => {
      const table = await made();
      const [once, twice, three] = [someEvent(), someEvent(), someEvent()];
      const batches = [
        batchOf(
          rowOf(someEvent(), 'a'),
          bad(twice, 'x'),
          reject(someEvent(), 'older reason'),
          bad(three, 'x', 'y', 'z'),
        ),
        batchOf(bad(twice, 'x'), rowOf(someEvent(), 'b', 'c')),
        batchOf(bad(once, 'x')),
        batchOf(rowOf(someEvent(), 'd')),
      ];
      const plan = await stage(table, 'keep', ...batches);
      const found = await without(plan);
      expect(found).toMatchObject({ events: 3, rowsLess: 6, rejectionsMore: 4 });
      expect(found.load.batches[3]).toEqual(plan.batches[3]);
      const result = { ...zero, events: 8, matched: 8, rows: 4, rejected: 4, duplicates: 1 };
      expect(await load(found.load)).toEqual(result);
      // As an attempt that was paused comes late, with either plan.
      expect(await load(found.load)).toEqual(result);
      expect(await load(plan)).toEqual(result);
      expect(await labels(table)).toEqual(['a', 'b', 'c', 'd']);
      await audit(table);

      const keys = plan.batches.map(({ key }) => key);
      const rejections = await c.warehouse.rejections(table.name, { limit: 10 });
      const places = rejections.map(({ key, line }) => [keys.indexOf(key), line]);
      expect(places.toSorted()).toEqual([
        [0, 2],
        [0, 3],
        [0, 4],
        [2, 1],
      ]);
      expect(rejections.filter(({ reason }) => reason === 'older reason')).toHaveLength(1);
      expect(JSON.stringify(rejections)).not.toContain('secret');
    });

    test('are found where the warehouse names none of them', async () => {
      const table = await made();
      const copies = Array.from({ length: 40 }, (_, i) =>
        i % 13 === 7 ? bad(someEvent(), 'x') : rowOf(someEvent(), `good ${i}`),
      );
      const batches = [copies.slice(0, 20), copies.slice(20, 21), copies.slice(21)].map((some) => batchOf(...some));
      const plan = await stage(table, 'keep', ...batches);
      let probes = 0;
      const silent = async (...args: Parameters<Warehouse['probe']>): Promise<void> => {
        probes++;
        await c.warehouse.probe(...args).catch((error: unknown) => {
          throw error instanceof RowsRefused ? new RowsRefused(error.message, { table: table.name }) : error;
        });
      };
      const found = await without(plan, { probe: silent });
      expect(found.events).toBe(3);
      expect(probes).toBeLessThan(60);
      expect(await load(found.load)).toMatchObject({ events: 40, rows: 37, rejected: 3 });
      await audit(table);
    });

    test('take the rows that their event had, where they replace them', async () => {
      const table = await made();
      const [now, still] = [someEvent(), someEvent()];
      const batch = batchOf(rowOf(now, 'a', 'b'), rowOf(still, 'c'));
      await load(await stage(table, 'keep', batch));
      const again = { ...batch, copies: [bad(now, 'A', 'B'), rowOf(still, 'C')] };
      const { load: rest } = await without(await stage({ ...table, version: 2 }, 'replace', again));
      expect(await load(rest)).toMatchObject({ rows: 1, removed: 3, rejected: 1 });
      expect(await labels(table)).toEqual(['C']);
      await audit(table);
    });

    test('of as many events as a load may have are rejected; of one more, none is', async () => {
      const table = await made();
      const copies = Array.from({ length: 300 }, (_, i) =>
        i % 3 === 0 ? bad(someEvent(), 'x', 'y') : rowOf(someEvent(), `${i}`),
      );
      const batch = batchOf(...copies);
      const most = await without(await stage(table, 'keep', batch));
      expect(most.events).toBe(mostRefused);
      expect(await load(most.load)).toMatchObject({ events: 300, rows: 200, rejected: mostRefused });

      const other = await made();
      const plan = await stage(other, 'keep', batchOf(...copies, bad(someEvent(), 'z')));
      const { message, where } = await refusal(without(plan));
      expect(message).toContain(other.name);
      expect(where.table).toBe(other.name);
      expect(await audit(other)).toMatchObject({ events: 0, rowsCounted: 0, rejectionsCounted: 0 });
    });

    test('that are none any more are left as they are', async () => {
      const table = await made();
      const plan = await stage(table, 'keep', batchOf(rowOf(someEvent(), 'a'), reject(someEvent())));
      expect(await without(plan)).toEqual({ load: plan, events: 0, rowsLess: 0, rejectionsMore: 0 });
    });
  });
}

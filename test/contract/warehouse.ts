import { RowsRefused, SchemaConflict, TableMissing } from '../../src/errors.js';
import { newId } from '../../src/ids.js';
import type { Lake } from '../../src/providers/lake.js';
import type { Audit, Column, Load, LoadResult, TableShape, Warehouse } from '../../src/providers/warehouse.js';
import { batchOf, keyOf, someEvent, stageLoad, unreadable, type Batch, type TestEvent } from './warehouse-loads.js';

/** An implementation, empty or shared with other tests: every test makes tables of names of its own. */
export interface WarehouseUnderTest {
  /** As another process would open it. */
  open(): Warehouse;
  /** A lake that the warehouse can read. */
  readonly lake: Lake;
  /** Does a damage behind the warehouse's back; every instance opened is closed by then. */
  damage(table: string, what: 'delete one row' | 'double one row'): Promise<void>;
  close(): Promise<void>;
}

export interface WarehouseContract {
  readonly name: string;
  readonly start: () => Promise<WarehouseUnderTest>;
  readonly skip?: readonly { readonly reason: string; readonly tests: readonly string[] }[];
}

const never = new AbortController().signal;
const longAgo = new Date('2000-01-01T00:00:00Z');
const zero: LoadResult = { events: 0, matched: 0, rows: 0, removed: 0, duplicates: 0, rejected: 0, cleared: 0 };

export function warehouseContract({ name, start, skip = [] }: WarehouseContract): void {
  describe(`${name} is a warehouse`, () => {
    let subject: WarehouseUnderTest;
    let warehouse: Warehouse;

    beforeAll(async () => {
      subject = await start();
      warehouse = subject.open();
    });
    afterAll(async () => {
      await warehouse.close();
      await subject.close();
    });

    const test = (what: string, body: () => Promise<void>) => {
      const skipped = skip.find(({ tests }) => tests.includes(what));
      it(skipped === undefined ? what : `${what} (left out: ${skipped.reason})`, async () => {
        if (skipped === undefined) await body();
      });
    };

    const shapeOf = (
      version = 1,
      columns: readonly Column[] = [text('label'), int('n')],
      table = newTable(),
    ): TableShape => ({
      name: table,
      version,
      columns,
      cluster: [],
    });
    const made = async (version = 1, columns?: readonly Column[]): Promise<TableShape> => {
      const shape = shapeOf(version, columns);
      await warehouse.migrate([shape], 'apply');
      return shape;
    };
    const stage = (table: TableShape, existing: Load['existing'], batches: readonly Batch[], id?: string) =>
      stageLoad(subject.lake, table, existing, batches, id);
    const load = async (table: TableShape, existing: Load['existing'], ...batches: Batch[]): Promise<LoadResult> =>
      warehouse.load(await stage(table, existing, batches), subject.lake, never);
    const query = async (sql: string, of = warehouse): Promise<Record<string, unknown>[]> => {
      const rows = [];
      for await (const row of of.query(sql)) rows.push(row);
      return rows;
    };
    const labels = async (table: TableShape): Promise<unknown[]> =>
      (await query(`SELECT label FROM ${table.name} ORDER BY label`)).map((row) => row['label']);
    /** The sums agree, whatever has happened. */
    const audit = async (table: TableShape): Promise<Audit> => {
      const found = await warehouse.audit(table, longAgo);
      expect({
        rows: found.rows - found.removed,
        rejections: found.rejected - found.cleared,
        twice: found.rowsTwice,
      }).toEqual({
        rows: found.rowsCounted,
        rejections: found.rejectionsCounted,
        twice: 0,
      });
      return found;
    };
    const rowOf = (event: TestEvent, ...labelled: string[]) => ({
      event,
      rows: labelled.map((label, i) => ({ label, n: String(i) })),
    });
    const reject = (event: TestEvent, reason = 'user: expected a string') => ({ event, reason });

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
        expect(await warehouse.missing(table, [nothing.batch], 'any version')).toEqual([]);
      });

      test('answers a repeat of a load alike, and changes nothing', async () => {
        const table = await made();
        const event = someEvent();
        const plan = await stage(table, 'keep', [
          batchOf(rowOf(event, 'a'), rowOf(event, 'a'), reject(someEvent())),
          batchOf(rowOf(someEvent(), 'b')),
        ]);
        const first = await warehouse.load(plan, subject.lake, never);
        const before = await audit(table);
        expect(await warehouse.load(plan, subject.lake, never)).toEqual(first);
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
        const other = subject.open();
        await Promise.all(plans.map((plan, i) => (i % 2 === 0 ? warehouse : other).load(plan, subject.lake, never)));
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
        expect(await warehouse.rejections(table.name, { limit: 10 })).toEqual([
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
        expect(await warehouse.rejections(table.name, { limit: 10 })).toEqual([
          { key: keyOf(batch), line: 3, reason: 'new reason' },
        ]);
        expect(await warehouse.missing(table, [fresh.batch], 'any version')).toEqual([fresh.batch]);
        expect(await audit(table)).toMatchObject({ events: 3, rowsCounted: 2, rejectionsCounted: 1 });
        // An event that now makes no row is rejected no longer.
        expect(await load(table, 'rejected', { ...batch, copies: [{ event: still }] })).toMatchObject({
          rows: 0,
          cleared: 1,
        });
        expect(await audit(table)).toMatchObject({ rowsCounted: 2, rejectionsCounted: 0 });
      });

      test('are paged, and found by a part of their reason', async () => {
        const table = await made();
        const reasons = Array.from({ length: 25 }, (_, i) => (i % 2 === 0 ? `user: it's ${i}` : 'price: too big'));
        await load(table, 'keep', batchOf(...reasons.map((reason) => reject(someEvent(), reason))));
        const seen: string[] = [];
        for (let after: string | undefined; ;) {
          const page = await warehouse.rejections(table.name, { limit: 10, ...(after === undefined ? {} : { after }) });
          if (page.length === 0) break;
          seen.push(...page.map(({ reason }) => reason));
          after = `${page.at(-1)!.key}:${page.at(-1)!.line}`;
        }
        expect(seen).toEqual(reasons);
        expect(await warehouse.rejections(table.name, { reason: 'too big', limit: 100 })).toHaveLength(12);
        expect(await warehouse.rejections(table.name, { reason: "it's 2", limit: 100 })).toHaveLength(4);
      });
    });

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
        expect(await warehouse.missing(next, [batch.batch], 'this version or higher')).toEqual([]);
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
        expect((await warehouse.rejections(table.name, { limit: 9 })).map(({ reason }) => reason)).toEqual(['now bad']);
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
        expect(await warehouse.missing({ ...table, version: 2 }, [older.batch], 'this version or higher')).toEqual([
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

    describe('problems', () => {
      test('leave a line that never counts as loaded, until the object can be read', async () => {
        const table = await made();
        const batch = batchOf(rowOf(someEvent(), 'a'));
        const good = batchOf(rowOf(someEvent(), 'b'));
        expect(await load(table, 'keep', unreadable(batch.batch, 'gone'), good)).toMatchObject({ events: 1, rows: 1 });
        expect(await load(table, 'keep', unreadable(batch.batch, 'gone'))).toEqual(zero);
        expect(await warehouse.missing(table, [good.batch, batch.batch], 'any version')).toEqual([batch.batch]);
        expect(await audit(table)).toMatchObject({ events: 1, unreadable: 1 });
        expect(await load(table, 'keep', batch)).toMatchObject({ events: 1, rows: 1 });
        expect(await warehouse.missing(table, [batch.batch], 'any version')).toEqual([]);
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
          warehouse.missing({ ...table, version }, ids, which);
        expect(await at(1, 'any version')).toEqual([ids[3]]);
        expect(await at(2, 'any version')).toEqual([ids[3]]);
        expect(await at(2, 'this version or higher')).toEqual([ids[0], ids[3]]);
        expect(await at(4, 'this version or higher')).toEqual(ids);
        expect(await warehouse.missing(table, [], 'any version')).toEqual([]);
      });

      test('is told of 1,000 batches at once', async () => {
        const table = await made();
        const ids = Array.from({ length: 1_000 }, () => newId());
        await load(table, 'keep', ...ids.slice(0, 100).map((batch) => ({ batch, copies: [] })));
        expect(await warehouse.missing(table, ids, 'any version')).toEqual(ids.slice(100));
      });
    });

    describe('values', () => {
      test('of every type come back as they were', async () => {
        const columns: Column[] = [
          text('s'),
          int('i'),
          ...(['double', 'boolean', 'date', 'timestamp', 'json'] as const).map((type) => ({
            name: `c_${type}`,
            type,
            nullable: true,
          })),
          { name: 'amount', type: 'decimal', nullable: true, sql: 'decimal(12,2)' },
          text('key'),
          text('rowid'),
        ];
        const table = await made(1, columns);
        const rows = [
          row(
            '9223372036854775807',
            1.7976931348623157e308,
            true,
            '9999-12-31',
            '9999-12-31T23:59:59.999Z',
            '9999999999.99',
            '',
          ),
          row(
            '-9223372036854775808',
            5e-324,
            false,
            '0001-01-01',
            '0001-01-01T00:00:00.000Z',
            '-9999999999.99',
            'a\0b',
          ),
          row(
            '9007199254740993',
            -0.1,
            null,
            '2024-02-29',
            '2026-11-24T12:34:56.789Z',
            '0.01',
            'é😀\u202e\ufeff\uffff"\'\\',
          ),
          row('0', 0, true, '1970-01-01', '1969-12-31T23:59:59.999Z', '0.00', 'x'.repeat(1_000_000)),
          { ...row('0', 0, true, '1970-01-01', '1970-01-01T00:00:00.000Z', '0.00', ''), ...empty(columns) },
        ];
        const copies = rows.map((columns) => ({ event: someEvent(), rows: [columns] }));
        await load(table, 'keep', batchOf(...copies));
        const back = await query(
          `SELECT ${columns.map((column) => column.name).join(', ')} FROM ${table.name} ORDER BY _event_id`,
        );
        expect(back.map(({ c_json: _, ...rest }) => rest)).toEqual(
          rows.map(({ c_json: _, i, ...rest }) => ({
            ...rest,
            i: i !== null && Number.isSafeInteger(Number(i)) ? Number(i) : i,
          })),
        );
        // A JSON column's text may be written anew, but says the same.
        expect(back.map((each) => each['c_json'] && (JSON.parse(each['c_json'] as string) as unknown))).toEqual(
          rows.map((each) => each.c_json && (JSON.parse(each.c_json) as unknown)),
        );

        function row(
          i: string,
          double: number,
          boolean: boolean | null,
          date: string,
          at: string,
          amount: string,
          s: string,
        ) {
          const c_json = JSON.stringify({ s: s.slice(0, 100), list: [1, { deep: [[[null]]] }], n: double, '': {} });
          return {
            s,
            i,
            c_double: double,
            c_boolean: boolean,
            c_date: date,
            c_timestamp: at,
            c_json,
            amount,
            key: 'k',
            rowid: s.slice(0, 5),
          };
        }
      });

      test('that the warehouse refuses name the table, and neither row nor manifest is kept', async () => {
        const table = await made();
        const batch = batchOf(rowOf(someEvent(), 'a'), {
          event: someEvent(),
          rows: [{ label: 'b', n: 'secret-value' }],
        });
        const plan = await stage(table, 'keep', [batch]);
        for (const attempt of ['load', 'probe'] as const) {
          const error: unknown = await warehouse[attempt](plan, subject.lake, never).then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
          expect(error).toBeInstanceOf(RowsRefused);
          expect((error as RowsRefused).where.table).toBe(table.name);
          expect(JSON.stringify([(error as RowsRefused).message, (error as RowsRefused).where])).not.toContain(
            'secret',
          );
        }
        expect(await audit(table)).toMatchObject({ events: 0, rowsCounted: 0 });
        expect(await warehouse.missing(table, [batch.batch], 'any version')).toEqual([batch.batch]);
      });
    });

    describe('a load', () => {
      test('that is only probed changes nothing', async () => {
        const table = await made();
        const plan = await stage(table, 'keep', [batchOf(rowOf(someEvent(), 'a'), reject(someEvent()))]);
        await warehouse.probe(plan, subject.lake, never);
        expect(await audit(table)).toMatchObject({ events: 0, rowsCounted: 0, rejectionsCounted: 0 });
        expect(await warehouse.load(plan, subject.lake, never)).toMatchObject({ rows: 1, rejected: 1 });
      });

      test('into a table or a column that is not there says so', async () => {
        const nowhere = await stage(shapeOf(), 'keep', [batchOf(rowOf(someEvent(), 'a'))]);
        await expect(warehouse.load(nowhere, subject.lake, never)).rejects.toBeInstanceOf(TableMissing);
        const table = await made();
        const wider = { ...table, columns: [...table.columns, text('later')] };
        const plan = await stage(wider, 'keep', [batchOf(rowOf(someEvent(), 'a'))]);
        await expect(warehouse.load(plan, subject.lake, never)).rejects.toMatchObject({
          constructor: TableMissing,
          where: { table: table.name, column: 'later' },
        });
      });

      test('whose file is gone or is not what was written fails, and changes nothing', async () => {
        const table = await made();
        const plan = await stage(table, 'keep', [batchOf(rowOf(someEvent(), 'a')), batchOf(rowOf(someEvent(), 'b'))]);
        const [first, second] = plan.batches as [Load['batches'][number], Load['batches'][number]];
        const other = { ...first, rowsFile: { ...first.rowsFile!, sha256: second.rowsFile!.sha256 } };
        await expect(warehouse.load({ ...plan, batches: [other] }, subject.lake, never)).rejects.toThrow(
          first.rowsFile!.key,
        );
        await subject.lake.remove([second.rowsFile!.key]);
        await expect(warehouse.load(plan, subject.lake, never)).rejects.toThrow(second.rowsFile!.key);
        expect(await audit(table)).toMatchObject({ events: 0, rowsCounted: 0 });
      });

      test('that is given up changes nothing, and may be made again', async () => {
        const table = await made();
        const batch = batchOf(...Array.from({ length: 5_000 }, () => rowOf(someEvent(), 'x'.repeat(100))));
        const plan = await stage(table, 'keep', [batch]);
        const ends = await Promise.allSettled(
          [0, 1, 5, 20, 60].map((ms) =>
            warehouse.load({ ...plan, id: newId() }, subject.lake, AbortSignal.timeout(ms)),
          ),
        );
        const loaded = ends.filter((end) => end.status === 'fulfilled' && end.value.rows > 0).length;
        expect(loaded).toBeLessThanOrEqual(1);
        await expect(warehouse.load(plan, subject.lake, AbortSignal.abort())).rejects.toThrow();
        await warehouse.load(plan, subject.lake, never);
        expect(await audit(table)).toMatchObject({ events: 5_000, rowsCounted: 5_000 });
      });
    });

    describe('migrate', () => {
      test('makes a table once, and records from when it owes', async () => {
        const before = Date.now() - 5_000;
        const table = shapeOf();
        await expect(warehouse.owesFrom(table.name)).rejects.toBeInstanceOf(TableMissing);
        expect(await warehouse.migrate([table], 'plan')).toEqual([{ table: table.name, what: 'create table' }]);
        await expect(warehouse.owesFrom(table.name)).rejects.toBeInstanceOf(TableMissing);
        expect(await warehouse.migrate([table], 'apply')).toEqual([{ table: table.name, what: 'create table' }]);
        const since = await warehouse.owesFrom(table.name);
        expect(since.getTime()).toBeGreaterThan(before);
        expect(await warehouse.migrate([table], 'apply')).toEqual([]);
        await warehouse.migrate([{ ...table, version: 2, columns: [...table.columns, text('more')] }], 'apply');
        expect(await warehouse.owesFrom(table.name)).toEqual(since);
      });

      test('widens a table, whose older rows and older workers go on', async () => {
        const table = await made();
        await load(table, 'keep', batchOf(rowOf(someEvent(), 'old')));
        const wider = { ...table, version: 2, columns: [...table.columns, { ...text('more'), nullable: false }] };
        expect(await warehouse.migrate([wider], 'plan')).toEqual([
          { table: table.name, what: 'add column', column: 'more' },
        ]);
        await warehouse.migrate([wider], 'apply');
        await load(wider, 'keep', batchOf({ event: someEvent(), rows: [{ label: 'new', n: '1', more: 'm' }] }));
        await load(table, 'keep', batchOf(rowOf(someEvent(), 'older')));
        expect(await warehouse.migrate([table], 'apply')).toEqual([]);
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
        await expect(warehouse.migrate([changed], 'plan')).rejects.toBeInstanceOf(SchemaConflict);
        await expect(warehouse.migrate([changed, other], 'apply')).rejects.toMatchObject({
          constructor: SchemaConflict,
          where: { table: table.name, column: 'n' },
        });
        expect(await warehouse.migrate([other], 'apply')).toEqual([]);
        expect(
          await warehouse.migrate([{ ...table, columns: [...table.columns, text('fresh')] }], 'plan'),
        ).toHaveLength(1);
      });

      test('is safe from several processes and beside loads', async () => {
        const table = await made();
        const others = [subject.open(), subject.open()];
        const fresh = shapeOf();
        const work = Array.from({ length: 6 }, async (_, i) => {
          const columns = [...table.columns, text(`extra_${i % 3}`)];
          await (others[i % 2] ?? warehouse).migrate([{ ...table, columns }, fresh], 'apply');
        });
        const loads = Array.from({ length: 6 }, () => load(table, 'keep', batchOf(rowOf(someEvent(), 'a'))));
        await Promise.all([...work, ...loads]);
        await Promise.all(others.map((other) => other.close()));
        expect(await audit(table)).toMatchObject({ rowsCounted: 6 });
        expect(await warehouse.migrate([fresh], 'plan')).toEqual([]);
      });
    });

    describe('audit', () => {
      test('finds a deleted and a doubled row', async () => {
        const table = await made();
        await load(table, 'keep', batchOf(rowOf(someEvent(), 'a'), rowOf(someEvent(), 'b'), rowOf(someEvent(), 'c')));
        await warehouse.close();
        await subject.damage(table.name, 'double one row');
        warehouse = subject.open();
        expect(await warehouse.audit(table, longAgo)).toMatchObject({ rows: 3, rowsCounted: 4, rowsTwice: 1 });
        expect(await warehouse.audit(table, new Date('2100-01-01'))).toMatchObject({ rowsCounted: 4, rowsTwice: 0 });
        await warehouse.close();
        for (const _ of [1, 2]) await subject.damage(table.name, 'delete one row');
        warehouse = subject.open();
        expect((await warehouse.audit(table, longAgo)).rowsCounted).toBeLessThan(3);
      });

      test('of a table that is not there says so', async () => {
        const table = shapeOf();
        await expect(warehouse.audit(table, longAgo)).rejects.toBeInstanceOf(TableMissing);
        await expect(warehouse.missing(table, [newId()], 'any version')).rejects.toBeInstanceOf(TableMissing);
        await expect(warehouse.rejections(table.name, { limit: 1 })).rejects.toBeInstanceOf(TableMissing);
      });
    });

    describe('query', () => {
      test('answers beside loads, from every instance', async () => {
        const table = await made();
        await load(table, 'keep', batchOf(rowOf(someEvent(), 'a')));
        const other = subject.open();
        expect(await query(`SELECT label, n FROM ${table.name}`, other)).toEqual([{ label: 'a', n: 0 }]);
        await other.close();
      });

      test('ends when its consumer stops', async () => {
        const table = await made();
        await load(table, 'keep', batchOf(...Array.from({ length: 3_000 }, () => rowOf(someEvent(), 'a'))));
        let seen = 0;
        for await (const _ of warehouse.query(`SELECT a.label FROM ${table.name} a CROSS JOIN ${table.name} b`)) {
          if (++seen === 10) break;
        }
        expect(seen).toBe(10);
        await audit(table);
      });

      test('with a mistake fails with what is wrong', async () => {
        await expect(query(`SELECT nope FROM catchment_loads`)).rejects.toThrow('nope');
      });
    });

    test('checks itself', async () => {
      expect((await warehouse.check()).filter(({ level }) => level === 'error')).toEqual([]);
    });
  });
}

let tables = 0;
const newTable = (): string => `t${process.pid}_${Date.now().toString(36)}_${tables++}`;
const text = (name: string): Column => ({ name, type: 'string', nullable: true });
const int = (name: string): Column => ({ name, type: 'int64', nullable: true });
const empty = (columns: readonly Column[]) => Object.fromEntries(columns.map((column) => [column.name, null]));

import { RowsRefused } from '../../src/errors.js';
import type { Column } from '../../src/providers/warehouse.js';
import { int, text, never, type WarehouseContext } from './warehouse-context.js';
import { batchOf, someEvent } from './warehouse-loads.js';

export function valuesTests(c: WarehouseContext): void {
  const { test, made, stage, load, query, audit, rowOf } = c;

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
        extremes(
          '9223372036854775807',
          1.7976931348623157e308,
          '9999-12-31',
          '9999-12-31T23:59:59.999Z',
          '9999999999.99',
        ),
        {
          ...extremes('-9223372036854775808', 5e-324, '0001-01-01', '0001-01-01T00:00:00.000Z', '-9999999999.99'),
          s: 'a\0b',
        },
        {
          ...extremes('9007199254740993', -0.1, '2024-02-29', '1969-12-31T23:59:59.999Z', '0.01'),
          s: odd,
          c_boolean: false,
        },
        { ...extremes('0', 0, '1970-01-01', '2026-11-24T12:34:56.789Z', '0.00'), s: 'x'.repeat(1_000_000) },
        Object.fromEntries(columns.map((column) => [column.name, null])),
      ];
      await load(table, 'keep', batchOf(...rows.map((columns) => ({ event: someEvent(), rows: [columns] }))));
      const back = await query(
        `SELECT ${columns.map((column) => column.name).join(', ')} FROM ${table.name} ORDER BY _event_id`,
      );
      expect(back.map(asTold)).toEqual(rows.map(asTold));
    });

    test('at the limits are taken', async () => {
      const { limits } = c.warehouse;
      const columns: Column[] = [text('s'), { ...text('j'), type: 'json' }, { ...text('t'), type: 'timestamp' }];
      const table = await made(1, columns);
      const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
      const rows = [
        { s: '\u0001'.repeat(limits.stringBytes), j: nested(limits.jsonDepth), t: limits.minTime },
        { s: 'é'.repeat(limits.stringBytes / 2), j: `"${'j'.repeat(limits.jsonBytes - 2)}"`, t: limits.maxTime },
      ];
      await load(table, 'keep', batchOf(...rows.map((row) => ({ event: someEvent(), rows: [row] }))));
      const back = await query(`SELECT s, j, t FROM ${table.name} ORDER BY _event_id`);
      // Compared without a failure that prints megabytes.
      expect(back.map((row, i) => Object.entries(rows[i]!).every(([column, value]) => row[column] === value))).toEqual([
        true,
        true,
      ]);
    });

    test('that the warehouse refuses name the table, and neither row nor manifest is kept', async () => {
      const table = await made();
      const batch = batchOf(rowOf(someEvent(), 'a'), {
        event: someEvent(),
        rows: [{ label: 'b', n: 'secret-value' }],
      });
      const plan = await stage(table, 'keep', [batch]);
      for (const attempt of ['load', 'probe'] as const) {
        const error: unknown = await c.warehouse[attempt](plan, c.subject.lake, never).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        expect(error).toBeInstanceOf(RowsRefused);
        expect((error as RowsRefused).where.table).toBe(table.name);
        expect(JSON.stringify([(error as RowsRefused).message, (error as RowsRefused).where])).not.toContain('secret');
      }
      expect(await audit(table)).toMatchObject({ events: 0, rowsCounted: 0 });
      expect(await c.warehouse.missing(table, [batch.batch], 'any version')).toEqual([batch.batch]);
    });
  });
}

const odd = `é😀\u202e\ufeff\uffff"'\\`;

function extremes(i: string, double: number, date: string, timestamp: string, amount: string): Record<string, unknown> {
  return {
    s: '',
    i,
    c_double: double,
    c_boolean: true,
    c_date: date,
    c_timestamp: timestamp,
    c_json: JSON.stringify({ odd, list: [1, { deep: [[[null]]] }], n: double, '': {} }),
    amount,
    key: 'k',
    rowid: odd,
  };
}

/** A JSON column's text may be written anew, but says the same; an integer is a number where it can be one. */
function asTold(row: Record<string, unknown>): Record<string, unknown> {
  const { c_json: json, i } = row;
  return {
    ...row,
    c_json: typeof json === 'string' ? (JSON.parse(json) as unknown) : json,
    i: typeof i === 'string' && Number.isSafeInteger(Number(i)) ? Number(i) : i,
  };
}

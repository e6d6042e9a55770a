import fc from 'fast-check';

import type { Column, ColumnType } from '../src/providers/warehouse.js';
import { Refusal } from '../src/transform/refusal.js';
import { rowWriter } from '../src/transform/rows.js';

const limits = {
  stringBytes: 1000,
  jsonBytes: 1000,
  jsonDepth: 20,
  minTime: '0001-01-01T00:00:00.000Z',
  maxTime: '9999-12-31T23:59:59.999Z',
};

function write(column: Partial<Column> & { type: ColumnType }, value: unknown): unknown {
  const shape = { name: 't', version: 1, columns: [{ name: 'c', nullable: false, ...column }], cluster: [] };
  const written = rowWriter(shape, limits)({ c: value });
  if (written instanceof Refusal) return written;
  return (JSON.parse(`{"x":0${written}}`) as { c: unknown }).c;
}

function reason(column: Partial<Column> & { type: ColumnType }, value: unknown): string {
  const refused = write(column, value);
  return refused instanceof Refusal ? refused.reason : `taken as ${String(refused)}`;
}

describe('strings', () => {
  test('come back as they were', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => write({ type: 'string' }, text) === text),
    );
  });

  test('with a lone surrogate are refused', () => {
    expect(reason({ type: 'string' }, 'a\ud800')).toBe('c: holds a lone surrogate, which is no text');
  });

  test('are measured in bytes of UTF-8', () => {
    expect(write({ type: 'string' }, 'x'.repeat(1000))).toBe('x'.repeat(1000));
    expect(write({ type: 'string' }, 'é'.repeat(500))).toBe('é'.repeat(500));
    expect(reason({ type: 'string' }, 'é'.repeat(501))).toBe('c: is longer than 1000 bytes');
  });

  test('keep to the length that the SQL type names, counted in characters', () => {
    expect(write({ type: 'string', sql: 'varchar(3)' }, '😀😀😀')).toBe('😀😀😀');
    expect(reason({ type: 'string', sql: 'character varying(3)' }, 'abcd')).toBe('c: is longer than 3 characters');
  });

  test('are strings', () => {
    expect(reason({ type: 'string' }, 1)).toBe('c: expected string');
  });
});

describe('integers', () => {
  test('of 64 bits keep every digit, whatever they come as', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(write({ type: 'int64' }, value)).toBe(value.toString());
        expect(write({ type: 'int64' }, value.toString())).toBe(value.toString());
      }),
    );
    fc.assert(fc.property(fc.maxSafeInteger(), (value) => write({ type: 'int64' }, value) === String(value + 0)));
  });

  test('beyond 64 bits, or of fewer where the SQL type says so, are refused', () => {
    expect(reason({ type: 'int64' }, 2n ** 63n)).toBe('c: is beyond 64 bits');
    expect(reason({ type: 'int64' }, 2 ** 63)).toBe('c: is beyond 64 bits');
    expect(reason({ type: 'int64' }, '9'.repeat(100_000))).toBe('c: is beyond 64 bits');
    expect(write({ type: 'int64', sql: 'smallint' }, -32768)).toBe('-32768');
    expect(reason({ type: 'int64', sql: 'SMALLINT' }, 32768)).toBe('c: is beyond 16 bits');
    expect(reason({ type: 'int64', sql: 'integer' }, 2 ** 31)).toBe('c: is beyond 32 bits');
  });

  test.each([1.5, NaN, Infinity, '1.5', '', ' 1', '0x10', '1e3', true, {}, []])('%p is none', (value) => {
    expect(reason({ type: 'int64' }, value)).toBe('c: expected integer');
  });

  test('that begin with zeros are read as decimal', () => {
    expect(write({ type: 'int64' }, '000000000000000000000000000000000000000000005')).toBe('5');
  });
});

describe('doubles', () => {
  test('come back as they were', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(write({ type: 'double' }, value)).toBe(value + 0);
      }),
    );
  });

  test('are finite, and hold an integer exactly or not at all', () => {
    expect(reason({ type: 'double' }, NaN)).toBe('c: is not finite');
    expect(reason({ type: 'double' }, -Infinity)).toBe('c: is not finite');
    expect(write({ type: 'double' }, 2n ** 60n)).toBe(2 ** 60);
    expect(reason({ type: 'double' }, 2n ** 53n + 1n)).toBe('c: would lose digits');
    expect(reason({ type: 'double' }, 10n ** 400n)).toBe('c: is not finite');
    expect(reason({ type: 'double' }, '1')).toBe('c: expected number');
    expect(reason({ type: 'double', sql: 'real' }, 1e39)).toBe('c: is beyond 32 bits');
  });
});

describe('decimals', () => {
  const price = { type: 'decimal', sql: 'decimal(6,2)' } as const;

  test('keep every digit or are refused', () => {
    const digits = fc.tuple(fc.integer({ min: -99_999, max: 99_999 }), fc.integer({ min: 0, max: 9999 }));
    fc.assert(
      fc.property(digits, ([whole, tail]) => {
        const text = `${whole}.${String(tail).padStart(4, '0')}`;
        const written = write(price, text);
        const fits = Math.abs(whole) < 10_000 && tail % 100 === 0;
        expect(written instanceof Refusal).toBe(!fits);
        if (typeof written === 'string') expect(Number(written)).toBe(Number(text));
      }),
    );
  });

  test('come as numbers, strings or bigints', () => {
    expect(write(price, 0.1)).toBe('0.1');
    expect(write(price, '-0012.50')).toBe('-12.5');
    expect(write(price, -0)).toBe('0');
    expect(write(price, '-0.00')).toBe('0');
    expect(write(price, 1234n)).toBe('1234');
    expect(write(price, '1.5e3')).toBe('1500');
    expect(write({ type: 'decimal', sql: 'numeric(38, 10)' }, 1e-7)).toBe('0.0000001');
    expect(write({ type: 'decimal', sql: 'numeric(38)' }, 1e21)).toBe('1000000000000000000000');
  });

  test('say what is too much', () => {
    expect(reason(price, 0.125)).toBe('c: has more than 2 digits behind the point');
    expect(reason(price, 10_000)).toBe('c: has more than 4 digits before the point');
    expect(reason(price, '1e999999999')).toBe('c: expected decimal');
    expect(reason(price, NaN)).toBe('c: expected decimal');
    expect(reason(price, '1,5')).toBe('c: expected decimal');
  });
});

describe('dates and timestamps', () => {
  test('are times that there are', () => {
    expect(write({ type: 'date' }, '2024-02-29')).toBe('2024-02-29');
    expect(reason({ type: 'date' }, '2023-02-29')).toBe('c: expected date, YYYY-MM-DD');
    expect(reason({ type: 'timestamp' }, '2023-02-29T00:00:00Z')).toMatch(/expected timestamp/);
    expect(reason({ type: 'timestamp' }, '2023-01-01T00:00:00')).toMatch(/with Z or an offset/);
    expect(reason({ type: 'timestamp' }, new Date(NaN))).toMatch(/expected timestamp/);
    expect(reason({ type: 'timestamp' }, 1700000000000)).toMatch(/expected timestamp/);
  });

  test('are written in UTC, to the microsecond', () => {
    expect(write({ type: 'timestamp' }, '2026-11-24T13:00:00+01:00')).toBe('2026-11-24T12:00:00.000Z');
    expect(write({ type: 'timestamp' }, '2026-11-24T12:00:00.123456Z')).toBe('2026-11-24T12:00:00.123456Z');
    expect(write({ type: 'timestamp' }, '1969-12-31T23:59:59.1234567-00:30')).toBe('1970-01-01T00:29:59.123456Z');
    expect(write({ type: 'timestamp' }, new Date(0))).toBe('1970-01-01T00:00:00.000Z');
  });

  test('any moment in range comes back to the millisecond', () => {
    const range = { min: new Date(limits.minTime), max: new Date(limits.maxTime), noInvalidDate: true };
    fc.assert(fc.property(fc.date(range), (date) => write({ type: 'timestamp' }, date) === date.toISOString()));
  });

  test('beyond the range of the warehouse are refused', () => {
    expect(reason({ type: 'timestamp' }, new Date(8.64e15))).toMatch(/beyond what the warehouse holds/);
    expect(reason({ type: 'timestamp' }, '0000-12-31T23:59:59Z')).toMatch(/beyond what the warehouse holds/);
    expect(reason({ type: 'date' }, '0000-12-31')).toMatch(/beyond what the warehouse holds/);
    expect(reason({ type: 'date' }, '+275760-09-13')).toMatch(/expected date/);
  });

  test('a Date is a date at midnight only', () => {
    expect(write({ type: 'date' }, new Date('2026-11-24'))).toBe('2026-11-24');
    expect(reason({ type: 'date' }, new Date(1))).toMatch(/expected date/);
  });
});

describe('JSON', () => {
  test('comes back as it was', () => {
    // -0 is 0 in JSON.
    const json = fc.jsonValue({ maxDepth: 5 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
    fc.assert(
      fc.property(json, (value) => {
        const written = write({ type: 'json', nullable: true }, value);
        if (typeof written === 'string') expect(JSON.parse(written)).toEqual(value);
        else expect(written instanceof Refusal || value === null).toBe(true);
      }),
    );
  });

  test('keeps integers beyond 2^53, and __proto__', () => {
    const value = JSON.parse('{"__proto__":[1],"b":{"c":[2]}}') as { b: { c: unknown[] } };
    value.b.c.push(2n ** 70n, undefined, 'x');
    expect(write({ type: 'json' }, value)).toBe('{"__proto__":[1],"b":{"c":[2,1180591620717411303424,null,"x"]}}');
  });

  test('bigints are written as JSON.stringify would, were they numbers', () => {
    const leaf = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.constant(null), fc.constant(undefined));
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ maxDepth: 3 }, leaf, fc.array(tie('tree')), fc.dictionary(fc.string(), tie('tree'))),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const plain = write({ type: 'json' }, [7, value]);
        if (typeof plain === 'string') expect(write({ type: 'json' }, [7n, value])).toBe(plain);
      }),
    );
  });

  test.each([
    ['NaN', [NaN], 'c: holds a number that is not finite'],
    ['a lone surrogate', { a: ['\ud800'] }, 'c: holds a lone surrogate, which is no text'],
    ['a lone surrogate as a key', { '\udfff': 1 }, 'c: holds a lone surrogate, which is no text'],
    ['a function', { a: () => 1 }, 'c: holds a function, which is no JSON'],
    ['a Map', [new Map()], 'c: holds an object that is no JSON'],
    ['an invalid date', new Date(NaN), 'c: holds an invalid date'],
    ['21 levels', JSON.parse('['.repeat(21) + ']'.repeat(21)), 'c: is nested too deep'],
    ['100,000 levels', JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)), 'c: is nested too deep'],
    ['too many bytes', 'x'.repeat(999), 'c: is longer than 1000 bytes'],
  ])('%s is refused', (_name, value, because) => {
    expect(reason({ type: 'json' }, value)).toBe(because);
  });

  test('a cycle is refused', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(reason({ type: 'json' }, cycle)).toBe('c: is nested too deep');
  });
});

test('nothing is null where the column allows it, else refused', () => {
  for (const type of ['string', 'int64', 'double', 'decimal', 'boolean', 'date', 'timestamp', 'json'] as const) {
    for (const nothing of [null, undefined]) {
      expect(write({ type, nullable: true }, nothing)).toBe(null);
      expect(reason({ type }, nothing)).toBe('c: is missing, and the column is not nullable');
    }
  }
});

test('no value of any kind throws, and none appears in a reason', () => {
  const types = fc.constantFrom<ColumnType[]>(
    'string',
    'int64',
    'double',
    'decimal',
    'boolean',
    'date',
    'timestamp',
    'json',
  );
  const marked = fc.oneof(
    fc.anything({ withBigInt: true, withDate: true, withMap: true }),
    fc.constant(['SECRET\ud800']),
  );
  fc.assert(
    fc.property(types, marked, (type, value) => {
      const written = write({ type }, value);
      if (written instanceof Refusal) expect(written.reason).not.toMatch(/SECRET/);
    }),
    { numRuns: 1000 },
  );
});

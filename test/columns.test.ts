import fc from 'fast-check';
import { z } from 'zod';

import { columnsOf } from '../src/columns.js';
import type { ColumnType } from '../src/providers/warehouse.js';

function columnOf(schema: z.ZodType): { type: ColumnType; nullable: boolean; sql?: string } {
  const { columns, problems } = columnsOf(z.object({ it: schema }));
  expect(problems).toEqual([]);
  const { type, nullable, sql } = columns[0]!;
  return { type, nullable, ...(sql !== undefined && { sql }) };
}

function problemOf(schema: z.ZodType): { path: string; message: string } {
  const { columns, problems } = columnsOf(z.object({ it: schema }));
  expect(columns).toEqual([]);
  return problems[0]!;
}

const mapped: readonly (readonly [string, z.ZodType, ColumnType])[] = [
  ['string', z.string(), 'string'],
  ['url', z.url(), 'string'],
  ['uuid', z.uuid(), 'string'],
  ['iso.time', z.iso.time(), 'string'],
  ['string with checks', z.string().min(1).trim(), 'string'],
  ['template literal', z.templateLiteral(['a-', z.number()]), 'string'],
  ['enum', z.enum(['a', 'b']), 'string'],
  ['literal string', z.literal('a'), 'string'],
  ['union of strings', z.union([z.literal('a'), z.string().min(3)]), 'string'],
  ['branded', z.string().brand<'Id'>(), 'string'],
  ['number', z.number(), 'double'],
  ['float32', z.float32(), 'double'],
  ['a number with checks', z.number().min(1).max(5), 'double'],
  ['int', z.int(), 'int64'],
  ['int32', z.int32(), 'int64'],
  ['uint32', z.uint32(), 'int64'],
  ['number().int() with checks', z.number().min(1).int().max(5), 'int64'],
  ['coerced int', z.coerce.number().int(), 'int64'],
  ['bigint', z.bigint(), 'int64'],
  ['int64', z.int64(), 'int64'],
  ['literal ints', z.literal([1, 2]), 'int64'],
  ['literal fractions', z.literal([1, 2.5]), 'double'],
  ['numeric enum', z.enum({ A: 1, B: 2 }), 'int64'],
  ['union of int and number', z.union([z.int(), z.number()]), 'double'],
  ['boolean', z.boolean(), 'boolean'],
  ['stringbool', z.stringbool(), 'boolean'],
  ['iso.date', z.iso.date(), 'date'],
  ['string().date()', z.string().check(z.iso.date()), 'date'],
  ['iso.datetime', z.iso.datetime(), 'timestamp'],
  ['iso.datetime with offset', z.iso.datetime({ offset: true, precision: 3 }), 'timestamp'],
  ['date', z.date(), 'timestamp'],
  ['coerced date', z.coerce.date(), 'timestamp'],
  ['array', z.array(z.string()), 'json'],
  ['tuple', z.tuple([z.string(), z.int()]), 'json'],
  ['object', z.object({ a: z.string() }), 'json'],
  ['loose object', z.looseObject({}), 'json'],
  ['record', z.record(z.string(), z.int()), 'json'],
  ['intersection', z.intersection(z.object({ a: z.string() }), z.object({ b: z.string() })), 'json'],
  ['union of types', z.union([z.string(), z.int()]), 'json'],
  [
    'discriminated union',
    z.discriminatedUnion('k', [z.object({ k: z.literal('a') }), z.object({ k: z.literal('b') })]),
    'json',
  ],
  ['mixed literals', z.literal(['a', 1]), 'json'],
  ['pipe: its output', z.string().transform(Number).pipe(z.int()), 'int64'],
  ['preprocess: its output', z.preprocess(String, z.string()), 'string'],
  [
    'codec: its output',
    z.codec(z.string(), z.date(), { decode: (text) => new Date(text), encode: String }),
    'timestamp',
  ],
  ['lazy', z.lazy(() => z.string()), 'string'],
  ['readonly', z.int().readonly(), 'int64'],
  ['refined', z.int().refine((value) => value > 0), 'int64'],
  ['default', z.string().default('a'), 'string'],
  ['prefault', z.string().prefault('a'), 'string'],
  ['catch', z.string().catch('a'), 'string'],
];

test.each(mapped)('%s', (_name, schema, type) => {
  expect(columnOf(schema)).toEqual({ type, nullable: false });
});

test('json that may be anything may be nothing', () => {
  expect(columnOf(z.unknown())).toEqual({ type: 'json', nullable: true });
  expect(columnOf(z.any())).toEqual({ type: 'json', nullable: true });
  expect(columnOf(z.json())).toEqual({ type: 'json', nullable: true });
});

test('a schema that is lazily itself is JSON', () => {
  const forever: z.ZodType = z.lazy(() => z.union([z.string(), forever]));
  expect(columnOf(forever).type).toBe('json');
});

describe('nullable', () => {
  test.each([
    ['optional', z.string().optional(), true],
    ['nullable', z.string().nullable(), true],
    ['nullish', z.string().nullish(), true],
    ['a union with null', z.union([z.string(), z.null()]), true],
    ['a literal with null', z.literal(['a', null]), true],
    ['a union with an optional', z.union([z.string().optional(), z.literal('b')]), true],
    ['optional behind a pipe', z.unknown().pipe(z.string().optional()), true],
    ['optional with a default', z.string().optional().default('a'), false],
    ['nullable with a default: null goes through', z.string().nullable().default('a'), true],
    ['a default that is optional again', z.string().default('a').optional(), true],
    ['not optional any more', z.string().optional().nonoptional(), false],
    ['nullish, not optional any more: null still', z.string().nullish().nonoptional(), true],
  ])('%s', (_name, schema, nullable) => {
    expect(columnOf(schema)).toEqual({ type: 'string', nullable });
  });

  test('wherever the schema can give out nothing', () => {
    const wrappers = fc.constantFrom<(schema: z.ZodType) => z.ZodType>(
      (schema) => schema.optional(),
      (schema) => schema.nullable(),
      (schema) => schema.nullish(),
      (schema) => schema.default('d'),
      (schema) => schema.readonly(),
      (schema) => z.union([schema, z.literal('u')]),
      (schema) => schema.refine(() => true),
    );
    fc.assert(
      fc.property(fc.array(wrappers, { maxLength: 6 }), (wraps) => {
        const schema = wraps.reduce<z.ZodType>((inner, wrap) => wrap(inner), z.string());
        const { type, nullable } = columnOf(schema);
        const empty = [null, undefined].some((value) => {
          const parsed = schema.safeParse(value);
          return parsed.success && (parsed.data === null || parsed.data === undefined);
        });
        expect({ type, nullable: nullable || !empty }).toEqual({ type: 'string', nullable: true });
      }),
    );
  });
});

describe('sql', () => {
  test.each<[string, z.ZodType, object]>([
    [
      'decimal of a number',
      z.number().meta({ sql: 'decimal(12,2)' }),
      { type: 'decimal', nullable: false, sql: 'decimal(12,2)' },
    ],
    [
      'decimal of a string',
      z.string().meta({ sql: 'NUMERIC(38, 9)' }),
      { type: 'decimal', nullable: false, sql: 'NUMERIC(38, 9)' },
    ],
    [
      'decimal of an int',
      z.int().meta({ sql: 'decimal(18)' }),
      { type: 'decimal', nullable: false, sql: 'decimal(18)' },
    ],
    [
      'beneath optional',
      z.number().meta({ sql: 'decimal(12,2)' }).optional(),
      { type: 'decimal', nullable: true, sql: 'decimal(12,2)' },
    ],
    [
      'before a check',
      z.number().meta({ sql: 'decimal(12,2)' }).min(0),
      { type: 'decimal', nullable: false, sql: 'decimal(12,2)' },
    ],
    [
      'the outermost',
      z.string().meta({ sql: 'varchar(1)' }).optional().meta({ sql: 'varchar(2)' }),
      { type: 'string', nullable: true, sql: 'varchar(2)' },
    ],
    [
      'behind a pipe',
      z
        .string()
        .transform(Number)
        .pipe(z.number().meta({ sql: 'decimal(4,1)' })),
      { type: 'decimal', nullable: false, sql: 'decimal(4,1)' },
    ],
    ['a length', z.string().meta({ sql: 'varchar(20)' }), { type: 'string', nullable: false, sql: 'varchar(20)' }],
    ['bigint of digits', z.string().meta({ sql: 'bigint' }), { type: 'int64', nullable: false, sql: 'bigint' }],
    ['date of a string', z.string().meta({ sql: 'date' }), { type: 'date', nullable: false, sql: 'date' }],
    [
      'timestamp',
      z.date().meta({ sql: 'timestamp with time zone' }),
      { type: 'timestamp', nullable: false, sql: 'timestamp with time zone' },
    ],
    [
      'a name that only the warehouse knows',
      z.string().meta({ sql: 'uuid' }),
      { type: 'string', nullable: false, sql: 'uuid' },
    ],
  ])('%s', (_name, schema, column) => {
    expect(columnOf(schema)).toEqual(column);
  });

  test.each<[string, z.ZodType, string]>([
    ['no text', z.string().meta({ sql: 5 }), 'cannot be read'],
    ['no type', z.string().meta({ sql: 'varchar); drop table x' }), 'cannot be read'],
    ['decimal without digits', z.number().meta({ sql: 'decimal' }), 'needs its digits'],
    ['more digits than there are', z.number().meta({ sql: 'decimal(39,2)' }), 'needs its digits'],
    ['more behind the point than in all', z.number().meta({ sql: 'decimal(4,5)' }), 'needs its digits'],
    ['a boolean as decimal', z.boolean().meta({ sql: 'decimal(4,1)' }), 'boolean and cannot be stored as decimal'],
    ['an object as bigint', z.object({}).meta({ sql: 'bigint' }), 'json and cannot be stored as bigint'],
  ])('refused: %s', (_name, schema, message) => {
    expect(problemOf(schema)).toEqual({ path: 'row.it', message: expect.stringContaining(message) as string });
  });
});

describe('what no column can be made of says what to write', () => {
  test.each<[string, z.ZodType, string]>([
    ['transform', z.string().transform((text) => text.length), '.pipe('],
    ['transform beneath optional', z.string().transform(Number).optional(), '.pipe('],
    ['custom', z.custom<string>(), 'z.string()'],
    ['instanceof', z.instanceof(URL), 'z.string()'],
    ['map', z.map(z.string(), z.int()), 'z.record'],
    ['set', z.set(z.string()), 'z.array'],
    ['symbol', z.symbol(), 'z.string()'],
    ['never', z.never(), 'z.string()'],
    ['nan', z.nan(), 'z.number()'],
    ['promise', z.promise(z.string()), 'z.string()'],
    ['file', z.file(), 'z.string()'],
    ['null', z.null(), 'z.string().nullable()'],
    ['undefined', z.undefined(), 'z.string().nullable()'],
    ['a time without a zone', z.iso.datetime({ local: true }), 'offset: true'],
    ['a union with one of these', z.union([z.string(), z.symbol()]), 'z.symbol'],
    [
      'what is not defined yet',
      z.lazy((): z.ZodType => {
        throw new ReferenceError('later');
      }),
      'above the table',
    ],
  ])('%s', (_name, schema, remedy) => {
    expect(problemOf(schema)).toEqual({ path: 'row.it', message: expect.stringContaining(remedy) as string });
  });

  test('names', () => {
    const row = z.object({ userId: z.string(), _id: z.string(), '1st': z.string(), äöü: z.string(), ok_1: z.string() });
    const { columns, problems } = columnsOf(row);
    expect(columns.map(({ name }) => name)).toEqual(['ok_1']);
    expect(problems.map(({ path }) => path)).toEqual(['row.userId', 'row._id', 'row.1st', 'row["äöü"]']);
    expect(problems[0]!.message).toContain('write user_id');
    expect(problems[1]!.message).toMatch(/begins those of ours.*write id/);
  });

  test('a row that is no object, or an open one', () => {
    expect(columnsOf(z.string()).problems).toEqual([
      { path: 'row', message: expect.stringContaining('z.object') as string },
    ]);
    expect(columnsOf(z.looseObject({ a: z.string() })).problems).toHaveLength(1);
    expect(columnsOf(z.object({ a: z.string() }).catchall(z.string())).problems).toHaveLength(1);
    expect(columnsOf(z.strictObject({ a: z.string() })).problems).toEqual([]);
  });
});

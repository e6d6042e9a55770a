import type { ColumnType } from './providers/warehouse.js';

/** The usual names of types, over the warehouses, by what a value of them is. */
const names: readonly (readonly [ColumnType, RegExp])[] = [
  ['string', /^(?:var)?char$|^character(?: varying)?$|^text$|^string$/],
  ['int64', /^(?:big|small|tiny)?int$|^int[248]?$|^int64$|^integer$/],
  ['double', /^double(?: precision)?$|^float(?:4|8|64)?$|^real$/],
  ['decimal', /^(?:big)?(?:decimal|numeric)$/],
  ['boolean', /^bool(?:ean)?$/],
  ['date', /^date$/],
  ['timestamp', /^timestamp(?:tz| with time zone)?$/],
  ['json', /^jsonb?$|^super$|^variant$/],
];

/** What else a value of a type may be stored as; the transform checks each value. */
const storableAs: Readonly<Record<ColumnType, readonly ColumnType[]>> = {
  string: ['int64', 'decimal', 'date', 'timestamp'],
  int64: ['double', 'decimal'],
  double: ['int64', 'decimal'],
  decimal: [],
  boolean: [],
  date: [],
  timestamp: [],
  json: [],
};

const shape = /^([a-z][a-z0-9_]*(?: +[a-z0-9_]+)*) *(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?$/;

/** The type that `.meta({ sql })` makes of a column. A type whose name says nothing to us keeps what the schema says. */
export function overriddenType(sql: unknown, type: ColumnType): ColumnType | { readonly problem: string } {
  const parts = typeof sql === 'string' ? shape.exec(sql.trim().toLowerCase()) : null;
  if (parts === null)
    return { problem: "has a sql type that cannot be read; write it as .meta({ sql: 'decimal(12,2)' })" };
  const [, name, precision, scale = '0'] = parts as unknown as [string, string, string?, string?];
  const wanted = names.find(([, pattern]) => pattern.test(name))?.[0] ?? type;
  if (wanted !== type && !storableAs[type].includes(wanted)) {
    return {
      problem: `is a ${type} and cannot be stored as ${name}; change its Zod type, or remove sql from its meta`,
    };
  }
  // Warehouses differ in what a bare decimal holds.
  const exact = precision !== undefined && Number(precision) <= 38 && Number(scale) <= Number(precision);
  if (wanted === 'decimal' && !exact) {
    return {
      problem:
        "needs its digits, at most 38, and how many of them stand behind the point; write .meta({ sql: 'decimal(12,2)' })",
    };
  }
  return wanted;
}

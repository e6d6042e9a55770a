import { z } from 'zod';

import type { Problem } from './problems.js';
import type { Column, ColumnType } from './providers/warehouse.js';
import { overriddenType } from './sql-types.js';

/** What a value of a schema's output is to a warehouse. */
interface Cell {
  /** undefined where it is never anything but null or undefined. */
  readonly type: ColumnType | undefined;
  readonly null: boolean;
  readonly undefined: boolean;
  /** `.meta({ sql })` of the outermost schema that has one. */
  readonly sql?: unknown;
}

/** A schema that no column can be made of; the message says what to write instead. */
class NoColumn extends Error {}

/** The columns of a row's schema, by what it gives out, and what cannot be mapped (paths from `row`). Never throws. */
export function columnsOf(row: z.ZodType): { columns: Column[]; problems: Problem[] } {
  const { def } = (row as unknown as z.core.$ZodTypes)._zod;
  if (def.type !== 'object')
    return { columns: [], problems: [{ path: 'row', message: 'is no Zod object; write row: z.object({ … })' }] };
  const columns: Column[] = [];
  const problems: Problem[] = [];
  const loose = def.catchall !== undefined && def.catchall._zod.def.type !== 'never';
  if (loose)
    problems.push({
      path: 'row',
      message: 'lets through columns that the table does not have; write z.object, without loose or catchall',
    });
  for (const name of Object.keys(def.shape)) {
    const path = z.core.toDotPath(['row', name]);
    try {
      columns.push(columnOf(name, def.shape[name]!));
    } catch (error) {
      problems.push({
        path,
        message:
          error instanceof NoColumn
            ? error.message
            : 'uses a schema that cannot be read here; define that one above the table',
      });
    }
  }
  return { columns, problems };
}

const columnName = /^[a-z][a-z0-9_]{0,126}$/;

function columnOf(name: string, schema: z.core.$ZodType): Column {
  if (!columnName.test(name)) {
    const better = name
      .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
      .toLowerCase()
      .replace(/[^a-z0-9_]/g, '_')
      .replace(/^[_0-9]+/, '');
    throw new NoColumn(
      `is no column name (a-z, 0-9 and _, beginning with a letter${name.startsWith('_') ? ', since _ begins those of ours' : ''}); write ${columnName.test(better) ? better : 'another'}`,
    );
  }
  const cell = cellOf(schema, 0);
  if (cell.type === undefined)
    throw new NoColumn('is always empty; remove it, or write the type that it will have: z.string().nullable()');
  const nullable = cell.null || cell.undefined;
  if (cell.sql === undefined) return { name, type: cell.type, nullable };
  const overridden = overriddenType(cell.sql, cell.type);
  if (typeof overridden === 'object') throw new NoColumn(overridden.problem);
  return { name, type: overridden, nullable, sql: cell.sql as string };
}

const one = (type: ColumnType): Cell => ({ type, null: false, undefined: false });
/** Deeper than anybody writes by hand: a schema that is lazily itself. */
const deepest = 50;

function cellOf(schema: z.core.$ZodType, depth: number): Cell {
  if (depth > deepest) return one('json');
  const cell = plainCellOf(schema as z.core.$ZodTypes, (inner) => cellOf(inner, depth + 1));
  const meta = z.globalRegistry.get(schema) as { sql?: unknown } | undefined;
  return meta?.sql === undefined ? cell : { ...cell, sql: meta.sql };
}

function plainCellOf(schema: z.core.$ZodTypes, inner: (schema: z.core.$ZodType) => Cell): Cell {
  const { def } = schema._zod;
  switch (def.type) {
    case 'string':
      return one(stringType(schema as z.ZodString));
    case 'template_literal':
      return one('string');
    case 'number':
      return one(integerFormats.has((schema as unknown as z.ZodNumber).format) ? 'int64' : 'double');
    case 'bigint':
      return one('int64');
    case 'boolean':
      return one('boolean');
    case 'date':
      return one('timestamp');
    case 'enum':
      return constants(z.core.util.getEnumValues(def.entries));
    case 'literal':
      return constants(def.values);
    case 'null':
      return { type: undefined, null: true, undefined: false };
    case 'undefined':
    case 'void':
      return { type: undefined, null: false, undefined: true };
    case 'array':
    case 'tuple':
    case 'object':
    case 'record':
    case 'intersection':
      return one('json');
    case 'any':
    case 'unknown':
      return { type: 'json', null: true, undefined: true };
    case 'union':
      return merge(def.options.map(inner));
    case 'optional':
      return { ...inner(def.innerType), undefined: true };
    case 'nullable':
      return { ...inner(def.innerType), null: true };
    case 'default':
    case 'prefault':
    case 'nonoptional':
      return { ...inner(def.innerType), undefined: false };
    case 'catch':
    case 'readonly':
      return inner(def.innerType);
    case 'lazy':
      return inner(def.getter());
    case 'pipe':
      return inner(def.out);
    case 'transform':
      throw new NoColumn('does not say what its transform gives out; write .transform(…).pipe(z.string())');
    case 'custom':
      throw new NoColumn(
        'does not say what it holds; write a type that does, such as z.string(), or z.unknown() for a JSON column',
      );
    case 'map':
    case 'set':
      throw new NoColumn(
        `is a z.${def.type}, which JSON does not have; write z.${def.type === 'map' ? 'record' : 'array'}`,
      );
    default:
      throw new NoColumn(
        `is a z.${def.type}, which no column can hold; write z.string(), z.number(), z.boolean(), z.iso.datetime() or z.unknown() (JSON)`,
      );
  }
}

const integerFormats = new Set<string | null>(['safeint', 'int32', 'uint32']);

function stringType(schema: z.ZodString): ColumnType {
  if (schema.format === 'date') return 'date';
  if (schema.format !== 'datetime') return 'string';
  if ((schema._zod.def as { local?: boolean }).local === true)
    throw new NoColumn(
      'takes times without a zone, which name no moment; write z.iso.datetime({ offset: true }), or z.string()',
    );
  return 'timestamp';
}

function constants(values: readonly unknown[]): Cell {
  return merge(
    values.map((value) => {
      if (value === null) return { type: undefined, null: true, undefined: false };
      if (value === undefined) return { type: undefined, null: false, undefined: true };
      if (typeof value === 'string') return one('string');
      if (typeof value === 'boolean') return one('boolean');
      return one(typeof value === 'bigint' || Number.isSafeInteger(value) ? 'int64' : 'double');
    }),
  );
}

/** One type where all have it, a double where all are numbers, else JSON. */
function merge(cells: readonly Cell[]): Cell {
  const types = new Set(cells.flatMap(({ type }) => type ?? []));
  const [only] = types;
  const numbers = types.size === 2 && types.has('int64') && types.has('double');
  return {
    type: types.size <= 1 ? only : numbers ? 'double' : 'json',
    null: cells.some((cell) => cell.null),
    undefined: cells.some((cell) => cell.undefined),
  };
}

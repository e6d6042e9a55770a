import type { z } from 'zod';

import type { Attributes } from './events.js';
import type { Json } from './json.js';
import type { Problem } from './problems.js';
import type { TableShape } from './providers/warehouse.js';
import { callSite, type Site } from './site.js';
import { checkTable } from './table-check.js';

/** An event as a table's `match` and `rows` see it. */
export interface EventView {
  readonly id: string;
  readonly sentAt: Date;
  readonly source: string;
  readonly attributes: Attributes;
  /** The bytes as they were sent. */
  readonly body: Uint8Array;
  /**
   * The body parsed as JSON, once for all tables; undefined where it is no JSON. An integer that a number cannot hold is a
   * bigint: `z.coerce.bigint()` in a contract takes it beside smaller ones.
   */
  readonly json: Json;
}

/** What `rows` may look at beside the parsed event. */
export interface RowsContext {
  readonly event: EventView;
}

/** A row-making table, checked and erased: what the transform and the loads work with. */
export interface Table {
  readonly name: string;
  readonly version: number;
  readonly shape: TableShape;
  /** `since`, where the user moved it: what was stored from then on is owed. */
  readonly since?: Date;
  match(event: EventView): boolean;
  /** The event's contract; undefined where there is none, and `rows` is given `event.json` as it is, undefined included. */
  readonly event: z.ZodType | undefined;
  readonly row: z.ZodType;
  rows(event: unknown, context: RowsContext): unknown;
  /** Mistakes in the definition: `defineTable` never throws, whoever loads the tables reports them all. */
  readonly problems: readonly Problem[];
  /** Where `defineTable` was called. */
  readonly site: Site | undefined;
}

type NoneOneOrMore<Row> = Row | readonly Row[] | null | undefined;
/** What `rows` may return: one row, several, none, or a promise of these. */
export type Rows<Row> = NoneOneOrMore<Row> | Promise<NoneOneOrMore<Row>>;

type RowOf<Result> =
  Result extends PromiseLike<infer Value> ? RowOf<Value> : Result extends readonly (infer Row)[] ? Row : Result;
type KeyOf<Row> = Row extends object ? keyof Row : never;
type OtherColumns<Row, Result> = Exclude<KeyOf<RowOf<Result>>, keyof Row>;
/** What a result of this form would have to be, so that the compiler names the column that is wrong. */
type Expected<Row, Result> =
  Result extends PromiseLike<infer Value>
    ? Promise<Expected<Row, Value>>
    : Result extends readonly unknown[]
      ? readonly Row[]
      : Result extends null | undefined
        ? Result
        : Row;
/** An inferred return type may have more keys than asked for: a column that is not in the row must not compile either. */
type Fitting<Row, Result> = [Result] extends [Rows<Row>]
  ? [OtherColumns<Row, Result>] extends [never]
    ? Result
    : Result & { readonly 'no such column': OtherColumns<Row, Result> }
  : Expected<Row, Result>;
/** As a type parameter, keeps literals in rows literal (`'web'`, not `string`), so that they fit enum columns. */
type Value = string | number | bigint | boolean | object | null | undefined;

/**
 * What a table is.
 *
 * @example
 * ```ts
 * export const screenViews = defineTable('screen_views', {
 *   match: (event) => event.json?.type === 'screen_view',
 *   event: z.object({ user: z.string(), screen: z.string(), ts: z.iso.datetime() }),
 *   row: z.object({ user_id: z.string(), screen: z.string(), viewed_at: z.iso.datetime() }),
 *   rows: (event) => ({ user_id: event.user, screen: event.screen, viewed_at: event.ts }),
 *   cluster: ['user_id'],
 * });
 * ```
 */
export interface TableDefinition<Event extends z.ZodType, Row extends z.ZodObject, Result> {
  /** A whole number, raised when `rows` changes and earlier events are to be made anew; default: 1, at least 1. */
  readonly version?: number;
  /** Which events the table takes; default: every event. */
  readonly match?: (event: EventView) => boolean;
  /** The contract, for the body parsed as JSON: what fails it is rejected, with the path; default: none. */
  readonly event?: Event;
  /** The row: one column a key. SQL types follow from it; `.meta({ sql: 'decimal(12,2)' })` overrides. */
  readonly row: Row;
  /** Makes of an event one row, several (an array) or none (undefined, null, []); may be async. */
  readonly rows: (event: z.output<Event>, context: RowsContext) => Fitting<z.input<Row>, Result>;
  /**
   * At most 4 columns that queries filter by, most important first: the warehouse keeps their rows together;
   * default: none.
   */
  readonly cluster?: readonly (keyof z.output<Row> & string)[];
  /**
   * What was stored from then on (ISO 8601, or a Date) is owed to the table; default: since the table was first
   * made.
   */
  readonly since?: string | Date;
}

/**
 * Defines a table. Never throws, so that a mistake in a table cannot stop collection: mistakes are in `problems`.
 *
 * @param name - `[a-z_][a-z0-9_]{0,62}`, without the prefix `catchment_`
 */
export function defineTable<
  Row extends z.ZodObject,
  Cell extends Value,
  Result extends Rows<Record<string, Cell>>,
  Event extends z.ZodType = z.ZodType<Json>,
>(name: string, definition: TableDefinition<Event, Row, Result>): Table {
  return checkTable(name, definition, callSite(defineTable));
}

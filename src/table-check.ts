import { z } from 'zod';

import { columnsOf } from './columns.js';
import { documented, mandatory } from './config/documented.js';
import { problemsOf, settingsOf, type Problem } from './problems.js';
import type { Column } from './providers/warehouse.js';
import type { Site } from './site.js';
import type { Table } from './tables.js';

const nameSchema = z
  .string("a table needs a name: defineTable('screen_views', { … })")
  .regex(
    /^[a-z_][a-z0-9_]{0,62}$/,
    'is no table name; write one of a-z, 0-9 and _, not beginning with a digit, at most 63 long',
  )
  .refine((name) => !name.startsWith('catchment_'), 'begins with catchment_, as the tables of ours do; write another');

const aFunction = <Type extends (...parameters: never) => unknown>(message: string) =>
  z.custom<Type>((value) => typeof value === 'function', message);
const aSchema = (message: string) => z.custom<z.ZodType>((value) => value instanceof z.ZodType, message);

/** Each field on its own, so that one mistake does not hide the others. */
export const definitionSchema = settingsOf(
  {
    version: z
      .int('is no version; write a whole number from 1: version: 2')
      .min(1, 'is no version; they count from 1: version: 1')
      .max(2 ** 31 - 1, 'is too large; count versions up by one')
      .optional()
      .register(documented, {
        what: 'a whole number, raised when `rows` changes and earlier events are to be made anew',
        unit: 'whole number',
        default: '1',
        least: '1',
        change: 'with `rows`, but for a change that concerns later events alone',
      }),
    match: aFunction<Table['match']>("is no function; write match: (event) => event.json?.type === 'screen_view'")
      .optional()
      .register(documented, {
        what: 'which events the table takes',
        unit: 'function of the event',
        default: 'every event',
        change: 'so that events of other kinds are not rejected by the contract',
      }),
    event: aSchema('is no schema of Zod 4; write the contract as event: z.object({ … })')
      .optional()
      .register(documented, {
        what: 'the contract, for the body parsed as JSON: what fails it is rejected, with the path',
        unit: 'Zod schema',
        default: 'none',
        change: 'to be sure of what `rows` is given; name only what the rows need',
      }),
    row: aSchema('is no schema of Zod 4; write the row as row: z.object({ … })').register(documented, {
      what: "the row: one column a key. SQL types follow from it; `.meta({ sql: 'decimal(12,2)' })` overrides",
      unit: 'Zod object',
      default: mandatory,
      change: 'to add columns, each of which must be nullable; `migrate` makes them',
    }),
    rows: aFunction<Table['rows']>('is no function; write rows: (event) => ({ … })').register(documented, {
      what: 'makes of an event one row, several (an array) or none (undefined, null, []); may be async',
      unit: 'function of the parsed event',
      default: mandatory,
      change: 'with `version`, where earlier events are to have the new rows too',
    }),
    cluster: z
      .array(z.string('is no column; write the name of one'), "is no array; write cluster: ['user_id']")
      // Not max(), which measures texts too.
      .refine((cluster) => cluster.length <= 4, 'has more than 4 columns; keep those that most queries filter by')
      .optional()
      .register(documented, {
        what: 'at most 4 columns that queries filter by, most important first: the warehouse keeps their rows together',
        unit: 'names of columns',
        default: 'none',
        change: 'for large tables',
      }),
    since: z
      .union(
        [z.date(), z.iso.date(), z.iso.datetime({ offset: true })],
        "is no moment; write since: '2026-01-01' or since: '2026-01-01T12:00:00Z'",
      )
      .optional()
      .register(documented, {
        what: 'what was stored from then on (ISO 8601, or a Date) is owed to the table',
        unit: 'moment',
        default: 'since the table was first made',
        change: 'to have earlier events loaded too, or to be owed fewer',
      }),
  },
  "is no object; write defineTable('screen_views', { match, event, row, rows })",
);

/** The table that a definition makes, with all that is wrong with it. Never throws. */
export function checkTable(name: unknown, definition: unknown, site: Site | undefined): Table {
  const problems = [
    ...problemsOf(nameSchema.safeParse(name).error, 'name'),
    ...problemsOf(definitionSchema.safeParse(definition).error),
  ];
  const given = goodFields(definition);
  const { columns, problems: columnProblems } =
    given.row === undefined ? { columns: [], problems: [] } : columnsOf(given.row);
  const cluster = given.cluster ?? [];
  problems.push(...columnProblems);
  if (columnProblems.length === 0 && given.row !== undefined) problems.push(...clusterProblems(cluster, columns));
  const text = typeof name === 'string' ? name : '';
  const version = given.version ?? 1;
  return {
    name: text,
    version,
    shape: { name: text, version, columns, cluster },
    ...(given.since !== undefined && { since: new Date(given.since) }),
    match: given.match ?? (() => true),
    event: given.event,
    row: given.row ?? z.never(),
    rows: given.rows ?? (() => undefined),
    problems,
    site,
  };
}

/** What of the definition is as it should be. */
function goodFields(definition: unknown): Partial<z.output<typeof definitionSchema>> {
  if (typeof definition !== 'object' || definition === null) return {};
  const fields = Object.entries(definitionSchema.shape).flatMap(([field, schema]) => {
    const parsed = schema.safeParse((definition as Record<string, unknown>)[field]);
    return parsed.success ? [[field, parsed.data]] : [];
  });
  return Object.fromEntries(fields) as Partial<z.output<typeof definitionSchema>>;
}

function clusterProblems(cluster: readonly string[], columns: readonly Column[]): Problem[] {
  return cluster.flatMap((name, index) => {
    const problem = (message: string) => [{ path: `cluster[${index}]`, message }];
    const column = columns.find((candidate) => candidate.name === name);
    if (column === undefined) {
      return problem(
        `"${name}" is no column of the row; write one of ${columns.map((candidate) => candidate.name).join(', ')}`,
      );
    }
    if (column.type === 'json')
      return problem(`"${name}" is a JSON column, which cannot be sorted; write one of another type`);
    return cluster.indexOf(name) < index ? problem(`"${name}" stands there twice; remove one`) : [];
  });
}

import { defineTable, type EventView } from 'catchment';
import { z } from 'zod';

// Tables that do with an event what they must not: every error of theirs holds its bytes.

const of = (kind: string) => (event: EventView) => event.attributes.kind === kind;
const row = z.object({ secret: z.string() });
const secret = z.object({ secret: z.string() });
const textOf = (event: EventView): string => new TextDecoder().decode(event.body);

/** Everything that code can throw or print. `how` is the event's. */
export const throws = defineTable('throws', {
  match: of('throws'),
  event: z.object({ how: z.string(), word: z.string() }),
  row,
  rows: ({ how, word }, { event }) => {
    const text = textOf(event);
    console.log(text, event);
    console.error(text, event.attributes);
    process.stdout.write(text);
    process.stderr.write(text);
    process.emitWarning(text);
    switch (how) {
      case 'message':
        throw new Error(text);
      case 'string':
        // eslint-disable-next-line @typescript-eslint/only-throw-error
        throw text;
      case 'name':
        throw Object.assign(new Error('x'), { name: word });
      case 'class':
        throw new ({ [word]: class extends Error {} }[word] as ErrorConstructor)(text);
      case 'constructor':
        throw Object.assign(new TypeError(text), { constructor: { name: word } });
      case 'stack':
        throw Object.assign(new Error('x'), { stack: `Error: ${text}\n    at ${word} (tables.ts:1:1)` });
      case 'cause':
        throw new Error('x', { cause: new Error(text) });
      case 'code':
        throw Object.assign(new Error(text), { code: word, errno: text, path: text });
      case 'several':
        throw new AggregateError([new Error(text)], text);
      case 'rejects':
        return Promise.reject(new Error(text));
      case 'late':
        setTimeout(() => {
          throw new Error(text);
        });
        void Promise.reject(new Error(text));
        return { secret: word };
      default:
        throw { [word]: text }; // eslint-disable-line @typescript-eslint/only-throw-error
    }
  },
});

export const matchThrows = defineTable('match_throws', {
  match: (event) => {
    if (event.attributes.kind !== 'match') return false;
    throw new RangeError(textOf(event));
  },
  row,
  rows: () => undefined,
});

/** Messages and paths of contracts that quote what they refuse. */
export const refined = defineTable('refined', {
  match: of('refined'),
  event: z
    .strictObject({
      secret: z.string().refine(() => false, { error: ({ input }) => `${String(input)} is refused` }),
      kind: z.enum(['a', 'b'], { error: ({ input }) => `no ${String(input)}` }),
      byName: z.record(z.string().max(3), z.number()),
    })
    .superRefine((value, context) => {
      context.addIssue({ code: 'custom', path: [value.secret], message: value.secret, params: value, input: value });
    }),
  row,
  rows: ({ secret }) => ({ secret }),
});

/** A row's schema that refuses it. */
export const longRows = defineTable('long_rows', {
  match: of('long'),
  row: z.object({ secret: z.string().meta({ sql: 'varchar(3)' }), kind: z.string().regex(/^x$/).optional() }),
  event: z.object({ secret: z.string(), kind: z.string().optional() }),
  rows: (json) => json,
});

/** What only the warehouse refuses. */
const uuids = {
  event: secret,
  row: z.object({ id: z.string().meta({ sql: 'uuid' }) }),
  rows: (json: z.infer<typeof secret>) => ({ id: json.secret }),
};
export const refusedByWarehouse = [
  defineTable('uuids', { ...uuids, match: of('uuid') }),
  defineTable('many', { ...uuids, match: of('many') }),
  defineTable('tiny', {
    match: of('tiny'),
    row: z.object({ n: z.int().meta({ sql: 'utinyint' }) }),
    rows: (json) => ({ n: Number(json?.number) }),
  }),
  defineTable('times', {
    match: of('time'),
    event: secret,
    row: z.object({ at: z.string().meta({ sql: 'interval' }) }),
    rows: (json) => ({ at: json.secret }),
  }),
];

/** What is in the warehouse as it should be. */
export const keeps = defineTable('keeps', {
  match: of('keeps'),
  event: z.object({ secret: z.string(), number: z.int() }),
  row: z.object({ secret: z.string(), number: z.int() }),
  rows: ({ secret, number }) => ({ secret, number }),
});

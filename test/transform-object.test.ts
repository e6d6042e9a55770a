import fc from 'fast-check';
import { z } from 'zod';

import { LakeCorrupt } from '../src/errors.js';
import { eventKey } from '../src/events.js';
import { newId, timeOfId } from '../src/ids.js';
import { defineTable, type Table } from '../src/tables.js';
import type { TransformRequest } from '../src/transform/transformer.js';
import { dedupeMs, lakeObject, linesOf, objectOf, transformHere, type Line, type Sent } from './transform-objects.js';

const anything = z.unknown();

async function transform(table: Table, request: TransformRequest) {
  expect(table.problems).toEqual([]);
  const files = await transformHere(table, request);
  return { ...files, rows: linesOf(files.rows), rejections: linesOf(files.rejections) };
}

async function rowsOf(table: Table, ...events: Sent[]): Promise<Line[]> {
  const { rows, rejections } = await transform(table, lakeObject(events));
  expect(rejections).toEqual([]);
  return rows;
}

async function reasonsOf(table: Table, ...events: Sent[]): Promise<unknown[]> {
  const { rejections } = await transform(table, lakeObject(events));
  for (const { reason } of rejections) expect(Buffer.byteLength(reason as string)).toBeLessThanOrEqual(1024);
  return rejections.map(({ reason }) => reason);
}

describe('an event becomes', () => {
  const items = defineTable('items', {
    match: (event) => event.attributes['type'] === 'order',
    event: z.object({ items: z.array(z.object({ sku: z.string(), price: z.number().optional() })) }),
    row: z.object({ sku: z.string(), price: z.number().optional(), seen: z.boolean().default(false) }),
    rows: (event) => event.items.map(({ sku, price }) => ({ sku, price })),
  });
  const attributes = { type: 'order' };

  test('rows, with the system columns, each column present', async () => {
    const id = newId();
    const body = { items: [{ sku: 'a', price: 1.5 }, { sku: 'b' }] };
    const request = lakeObject([{ id, sentAt: Date.parse('2026-11-24T12:00:00Z'), attributes, body }]);
    const made = await transform(items, request);
    const system = {
      _event_key: eventKey('app', id, Buffer.from(JSON.stringify(body)), attributes),
      _event_id: id,
      _source: 'app',
      _sent_at: '2026-11-24T12:00:00.000Z',
      _batch: request.batch,
    };
    expect(made).toMatchObject({ table: 'items', version: 1, shape: items.shape, events: 1, matched: 1 });
    expect(made.rows).toEqual([
      { ...system, _row: 0, sku: 'a', price: 1.5, seen: false },
      { ...system, _row: 1, sku: 'b', price: null, seen: false },
    ]);
  });

  test('nothing, where it is not matched or makes no row', async () => {
    const events = [{ body: { items: [] }, attributes }, { body: 1 }];
    const made = await transform(items, lakeObject(events));
    expect(made).toMatchObject({ events: 2, matched: 1, rows: [], rejections: [] });
  });

  test('a line that says so, where it makes no row and old ones are replaced', async () => {
    const events = [{ body: { items: [] }, attributes }, { body: 1 }, { body: { items: [{ sku: 'a' }] }, attributes }];
    const made = await transform(items, { ...lakeObject(events), existing: 'replace' });
    expect(made).toMatchObject({ events: 3, matched: 2, rejections: [] });
    expect(made.rows.map((row) => [row['_row'], Object.keys(row).length])).toEqual([
      [-1, 6],
      [-1, 6],
      [0, 9],
    ]);
  });

  test('a rejection with its place, and none of its rows', async () => {
    const id = newId();
    const body = { items: [{ sku: 'a' }, { sku: 7 }] };
    const request = lakeObject([{ body: 1 }, { id, sentAt: 0, attributes, body }]);
    const made = await transform(items, request);
    expect(made).toMatchObject({ events: 2, matched: 1, rows: [] });
    expect(made.rejections).toEqual([
      {
        event_key: eventKey('app', id, Buffer.from(JSON.stringify(body)), attributes),
        event_id: id,
        sent_at: '1970-01-01T00:00:00.000Z',
        batch: request.batch,
        key: request.key,
        line: 2,
        reason: 'event.items[1].sku: expected string',
      },
    ]);
  });

  test('two copies, where it is in the object twice', async () => {
    const copy = { id: newId(), body: { items: [{ sku: 'a' }] }, attributes };
    const rows = await rowsOf(items, copy, copy);
    expect(rows.map((row) => row['_row'])).toEqual([0, 0]);
    expect(rows[0]!['_event_key']).toBe(rows[1]!['_event_key']);
  });
});

describe('copies are looked for', () => {
  const all = defineTable('all', { row: z.object({ n: z.number() }), rows: () => ({ n: 1 }) });

  test('within the times of the events themselves, where those are of the ids', async () => {
    const ids = [newId(), newId()].sort();
    const times = ids.map((id) => timeOfId(id)!);
    const made = await transform(all, lakeObject(ids.map((id, index) => ({ id, sentAt: times[index]!, body: 1 }))));
    expect([made.lookFrom, made.lookTo].map((time) => Date.parse(time))).toEqual(times);
  });

  test('within the window on either side, where they are not', async () => {
    const sentAt = Date.parse('2026-11-24T12:00:00Z');
    const made = await transform(all, lakeObject([{ id: 'x', sentAt, body: 1 }]));
    expect(Date.parse(made.lookFrom)).toBe(sentAt - dedupeMs);
    expect(Date.parse(made.lookTo)).toBe(sentAt + dedupeMs);
  });
});

describe('rows may come', () => {
  const row = z.object({ n: z.number() });
  const some = [{ n: 1 }, { n: 2 }];

  test.each([
    ['one', () => some[0], [1]],
    ['several', () => some, [1, 2]],
    ['none', () => undefined, []],
    ['null', () => null, []],
    ['later', () => Promise.resolve(some), [1, 2]],
    ['one later', () => Promise.resolve(some[1]), [2]],
  ])('%s', async (_name, rows, numbers) => {
    const made = await rowsOf(defineTable('t', { row, rows: rows as () => undefined }), { body: 1 });
    expect(made.map(({ n }) => n)).toEqual(numbers);
  });

  test('through schemas with refinements and transforms, asynchronous ones too', async () => {
    const table = defineTable('t', {
      event: z.object({ n: z.number().refine((n) => Promise.resolve(n > 0)) }).transform(({ n }) => n),
      row: z.object({
        n: z
          .number()
          .transform((n) => Promise.resolve(n * 2))
          .pipe(z.number()),
      }),
      rows: (n) => [{ n }, { n: n + 1 }],
    });
    const made = await transform(table, lakeObject([{ body: { n: 1 } }, { body: { n: -1 } }, { body: { n: 3 } }]));
    expect(made.rows.map(({ n }) => n)).toEqual([2, 4, 6, 8]);
    expect(made.rejections.map(({ line, reason }) => [line, reason])).toEqual([[2, 'event.n: fails a refinement']]);
  });
});

describe('a reason holds no value of the event:', () => {
  const secret = 'SECRET';
  const row = z.object({ n: z.number() });
  const rows = () => ({ n: 1 });

  test.each<[string, z.ZodType, unknown, string]>([
    ['a type', z.object({ a: z.number() }), { a: secret }, 'event.a: expected number'],
    ['a value', z.object({ a: z.enum(['x', 'y']) }), { a: secret }, 'event.a: is none of the allowed values'],
    ['a format', z.object({ a: z.email() }), { a: secret }, 'event.a: does not fit the format email'],
    ['unknown keys', z.strictObject({}), { [secret]: 1 }, 'event: has keys that the schema does not name'],
    ['keys of a record', z.record(z.string(), z.number()), { [secret]: secret }, 'event.*: expected number'],
    ['a union', z.union([z.number(), z.boolean()]), secret, 'event: fits no member of the union'],
    [
      'a message of the user',
      z.string().refine(() => false, { error: (issue) => `bad ${String(issue.input)}` }),
      secret,
      'event: fails a refinement',
    ],
    [
      'issues of the user',
      z.string().superRefine((value, context) => {
        context.addIssue({ code: 'invalid_type', expected: value as 'string', path: [value], input: value });
        context.addIssue({ code: 'invalid_format', format: value, input: value });
      }),
      secret,
      'event.*: has another type; event: does not fit its format',
    ],
    [
      'many',
      z.array(z.number()),
      [secret, secret, secret, secret, secret],
      'event[0]: expected number; event[1]: expected number; event[2]: expected number; and 2 more',
    ],
    ['a long path', z.object({ ['k'.repeat(2000)]: z.number() }), {}, `event.${'k'.repeat(244)}…`],
  ])('%s', async (_name, event, body, reason) => {
    expect(await reasonsOf(defineTable('t', { event, row, rows }), { body })).toEqual([reason]);
  });

  class NoSuchUser extends Error {}
  test.each<[string, (event: unknown) => never, RegExp]>([
    [
      'an error',
      (event) => {
        throw new TypeError(`no ${String(event)}`);
      },
      /^rows threw TypeError at transform-object\.test\.ts:\d+$/,
    ],
    [
      'an error of the user',
      (event) => {
        throw new NoSuchUser(String(event));
      },
      /^rows threw an Error at transform-object\.test\.ts:\d+$/,
    ],
    [
      'no error',
      (event) => {
        throw event;
      },
      /^rows threw something that is no Error$/,
    ],
    [
      'a class named for it',
      (event) => {
        throw new { [String(event)]: class extends Error {} }[String(event)]!();
      },
      /^rows threw an Error at transform-object\.test\.ts:\d+$/,
    ],
    [
      'a stack of its own',
      (event) => {
        throw Object.assign(new RangeError(), { stack: `at ${String(event)}:1` });
      },
      /^rows threw RangeError$/,
    ],
  ])('%s is thrown', async (_name, throwing, reason) => {
    for (const rows of [
      throwing,
      async (event: unknown) => {
        await Promise.resolve();
        throwing(event);
      },
    ]) {
      const reasons = await reasonsOf(defineTable('t', { row, rows: rows as () => never }), { body: secret });
      expect(reasons).toEqual([expect.stringMatching(reason)]);
    }
  });

  test('match throws, or gives a promise', async () => {
    const throws = defineTable('t', {
      match: () => {
        throw new Error(secret);
      },
      row,
      rows,
    });
    expect(await reasonsOf(throws, { body: 1 })).toEqual([expect.stringMatching(/^match threw Error at /)]);
    const later = defineTable('t', {
      match: (async () => Promise.resolve(false)) as unknown as () => boolean,
      row,
      rows,
    });
    expect(await reasonsOf(later, { body: 1 })).toEqual(['match gave a promise: it must answer at once']);
  });

  test('a row that does not fit', async () => {
    const table = defineTable('t', {
      row: z.object({ n: z.number().max(1e300), s: z.string() }),
      rows: (event) => event as never,
    });
    expect(
      await reasonsOf(table, {
        body: [
          { n: 1, s: 'x' },
          { n: secret, s: '' },
        ],
      }),
    ).toEqual(['rows[1].n: expected number']);
    expect(await reasonsOf(table, { body: { n: 1, s: '\ud800' } })).toEqual([
      'rows[0].s: holds a lone surrogate, which is no text',
    ]);
    expect(await reasonsOf(table, { body: secret })).toEqual(['rows[0]: expected object']);
  });
});

describe('bodies that nobody expects', () => {
  const json = defineTable('t', {
    event: anything.refine((value) => value !== undefined),
    row: z.object({ value: anything }),
    rows: (value) => ({ value }),
  });
  const bytes = defineTable('t', {
    row: z.object({ n: z.int() }),
    rows: (_json, { event }) => ({ n: event.body.length }),
  });
  const noJson = 'the body is not JSON';

  test.each<[string, string | Uint8Array, string | { reason: string }]>([
    ['a bare number', '7', '7'],
    ['a bare long integer', '-9007199254740993', '-9007199254740993'],
    ['an array', '[1,"a",null]', '[1,"a",null]'],
    ['empty', '', { reason: noJson }],
    ['cut short', '{"a":', { reason: noJson }],
    ['invalid UTF-8', Buffer.from([0x22, 0xff, 0x22]), { reason: noJson }],
    ['a lone surrogate in bytes', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), { reason: noJson }],
    ['a lone surrogate escaped', '"\\ud800"', { reason: 'rows[0].value: holds a lone surrogate, which is no text' }],
    ['a BOM', '\ufeff{"a":1}', '{"a":1}'],
    ['a NUL', '{"a":"\0"}', { reason: noJson }],
    ['a NUL escaped', '{"a":"\\u0000"}', '{"a":"\\u0000"}'],
    ['U+FFFE', '"\ufffe"', '"\ufffe"'],
    ['__proto__ and constructor', '{"__proto__":{"a":1},"constructor":2}', '{"__proto__":{"a":1},"constructor":2}'],
    ['duplicate keys', '{"a":1,"a":2}', '{"a":2}'],
    ['5,000 levels', '['.repeat(5000) + ']'.repeat(5000), { reason: 'rows[0].value: is nested too deep' }],
    [
      '5,000 levels and a long integer',
      `${'['.repeat(5000)}9007199254740993${']'.repeat(5000)}`,
      { reason: 'rows[0].value: is nested too deep' },
    ],
    [
      'integers beyond 2^53',
      '{"id":12345678901234567890,"b":[1e20,100000000000000000000,"12345678901234567891"]}',
      '{"id":12345678901234567890,"b":[100000000000000000000,100000000000000000000,"12345678901234567891"]}',
    ],
    [
      'integers beyond 2^53 beside __proto__',
      '{"__proto__":9007199254740993,"s":"\\"9007199254740993,\\\\"}',
      '{"__proto__":9007199254740993,"s":"\\"9007199254740993,\\\\"}',
    ],
    ['a number beyond all doubles', '[1e999]', { reason: 'rows[0].value: holds a number that is not finite' }],
  ])('%s', async (_name, text, expected) => {
    const body = Buffer.from(text as string);
    const { rows, rejections } = await transform(json, lakeObject([{ body }]));
    if (typeof expected === 'string') expect(rows.map(({ value }) => value)).toEqual([expected]);
    else expect(rejections.map(({ reason }) => reason)).toEqual([expected.reason]);
    expect(rows.length + rejections.length).toBe(1);
    expect((await rowsOf(bytes, { body })).map(({ n }) => n)).toEqual([String(body.length)]);
  });

  test('any bytes are a row or a rejection, and reach user code as they were', async () => {
    const exact = defineTable('t', {
      row: z.object({ hex: z.string() }),
      rows: (_json, { event }) => ({ hex: Buffer.from(event.body).toString('hex') }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 50 }), { minLength: 1, maxLength: 20 }), async (bodies) => {
        const events = bodies.map((body) => ({ body }));
        const { rows, rejections } = await transform(json, lakeObject(events));
        expect(rows.length + rejections.length).toBe(bodies.length);
        const hex = (await rowsOf(exact, ...events)).map((row) => row['hex']);
        expect(hex).toEqual(bodies.map((body) => Buffer.from(body).toString('hex')));
      }),
      { numRuns: 50 },
    );
  });

  test('every integer of JSON keeps its value', async () => {
    const numbers = defineTable('t', {
      row: z.object({ value: anything, big: z.coerce.bigint() }),
      rows: (value) => ({ value, big: value as bigint }),
    });
    await fc.assert(
      fc.asyncProperty(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), async (integer) => {
        const [row] = await rowsOf(numbers, { body: Buffer.from(` ${integer}\n`) });
        expect(row).toMatchObject({ value: String(integer), big: String(integer) });
      }),
    );
  });

  test('an id that is no text, or endless', async () => {
    const rows = await rowsOf(bytes, { id: '\ud800', body: 1 }, { id: 'x'.repeat(5000), body: 1 });
    expect(rows.map(({ _event_id }) => _event_id)).toEqual(['\ufffd', 'x'.repeat(1024)]);
  });

  test('one table cannot change what the next one sees', async () => {
    const changed = defineTable('t', {
      match: (event) => {
        (event.attributes as Record<string, string>)['a'] = 'changed';
        return true;
      },
      row: z.object({ a: z.string() }),
      rows: () => undefined,
    });
    expect(await reasonsOf(changed, { body: 1 })).toEqual([expect.stringMatching(/^match threw TypeError/)]);
  });
});

describe('an object is refused as corrupt, by key and line, when', () => {
  const table = defineTable('t', { row: z.object({ n: z.number() }), rows: () => ({ n: 1 }) });
  const good = lakeObject([{ body: 'SECRET' }, { body: 2 }]);

  async function refusal(request: TransformRequest): Promise<LakeCorrupt> {
    const error: unknown = await transform(table, request).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(LakeCorrupt);
    expect((error as LakeCorrupt).where.key).toBe(request.key);
    expect((error as LakeCorrupt).message).not.toMatch(/SECRET/);
    return error as LakeCorrupt;
  }

  test('its hash is another', async () => {
    await refusal({ ...good, sha256: '0'.repeat(64) });
    await refusal({ ...good, sha256: '' });
    await refusal({ ...good, object: good.object.subarray(0, -1) });
    expect((await transform(table, { ...good, sha256: good.sha256.slice(0, 32) })).rows).toHaveLength(2);
  });

  test('it is no whole gzip file', async () => {
    const short = lakeObject([{ body: 1 }]).object.subarray(0, -9);
    const sha256 = await import('node:crypto').then(({ hash }) => hash('sha256', short));
    expect((await refusal({ ...good, object: short, sha256 })).message).toMatch(/not a whole gzip file/);
  });

  test('it holds another number of events', async () => {
    expect((await refusal({ ...good, events: 3 })).message).toMatch(/2 events where 3 were stored/);
  });

  test.each([
    ['no JSON', 'SECRET'],
    ['null', 'null'],
    ['an empty line', ''],
    ['no envelope', '{"id":"x"}'],
    [
      'an envelope of another batch',
      '{"id":"x","sentAt":"2026-11-24T12:00:00.000Z","source":"app","batch":"other","attributes":{},"body":""}',
    ],
    [
      'a time that there is not',
      '{"id":"x","sentAt":"2026-13-24T12:00:00.000Z","source":"app","batch":"BATCH","attributes":{},"body":""}',
    ],
    [
      'an attribute that is no string',
      '{"id":"x","sentAt":"2026-11-24T12:00:00.000Z","source":"app","batch":"BATCH","attributes":{"a":1},"body":""}',
    ],
  ])('a line is %s', async (_name, line) => {
    const batch = newId();
    const sound =
      '{"id":"x","sentAt":"2026-11-24T12:00:00.000Z","source":"app","batch":"BATCH","attributes":{},"body":""}';
    const lines = [sound, line].map((text) => text.replace('BATCH', batch));
    const { where } = await refusal(objectOf(lines, batch));
    expect(where.line).toBe(2);
  });
});

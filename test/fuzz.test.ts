import { hash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';

import fc from 'fast-check';

import { milliseconds } from '../src/durations.js';
import { ConfigError, EventRefused, LakeCorrupt } from '../src/errors.js';
import { cleanAttributes, cleanName } from '../src/events.js';
import { newId, timeOfId } from '../src/ids.js';
import { objectKey, parseObjectKey } from '../src/keys.js';
import { measure, pack, unpack } from '../src/packing.js';
import type { ColumnType } from '../src/providers/warehouse.js';
import { decodeReference, encodeReference } from '../src/references.js';
import { splitLines } from '../src/send/lines.js';
import { idReader } from '../src/send/pointer.js';
import { overriddenType } from '../src/sql-types.js';
import { parseJson } from '../src/transform/json.js';
import { envelopesOf } from '../src/transform/object.js';
import { Refusal } from '../src/transform/refusal.js';
import { rowWriter } from '../src/transform/rows.js';
import { anyBody, anyText } from './arbitraries.js';
import { encodeEnvelope } from './envelope-line.js';

/** Reads foreign bytes: returns what it made of them; the errors it may throw are typed. */
interface Parser {
  readonly read: (bytes: Buffer) => unknown;
  /** Bytes that it takes, to be changed. */
  readonly good: readonly (string | Uint8Array)[];
  readonly throws?: typeof ConfigError | typeof SyntaxError;
}

const batch = newId();
const line = (body: string): string =>
  encodeEnvelope({ id: 'a', sentAt: 0, attributes: { a: 'b' }, body: Buffer.from(body) }, 'app', batch);
const events = [1, 2, 3].map((n) => ({ id: newId(), attributes: { n: `${n}` }, body: Buffer.from(`{"n":${n}}`) }));
const delivery = (body: Uint8Array) => ({
  id: 'q',
  sentAt: new Date(0),
  attributes: { 'catchment-packed': '1' },
  body,
});
const sha256 = '0123456789abcdef'.repeat(4);
const key = objectKey({ source: 'app', batch, events: 3, hash: sha256.slice(0, 32) });
const limits = {
  stringBytes: 1_000_000,
  jsonBytes: 1_000_000,
  jsonDepth: 100,
  minTime: '0001-01-01T00:00:00.000Z',
  maxTime: '9999-12-31T23:59:59.999Z',
};
/** The row writer's own reading of texts. */
const column = (type: ColumnType, sql?: string): Parser['read'] => {
  const shape = {
    name: 't',
    version: 1,
    columns: [{ name: 'c', type, nullable: false, ...(sql && { sql }) }],
    cluster: [],
  };
  const write = rowWriter(shape, limits);
  return (bytes) => {
    const written = write({ c: bytes.toString('utf8') });
    if (!(written instanceof Refusal)) JSON.parse(`{"_":0${written}}`);
    return written;
  };
};
/** An object that holds what its key says, whatever that is. */
const envelopes = (object: Buffer): unknown => {
  const claims = { key: 'k', source: 'app', batch, events: 2, sha256: hash('sha256', object) };
  return [...envelopesOf(object, claims)];
};

const parsers: Record<string, Parser> = {
  'a packed message': {
    read: (bytes) => {
      const contents = measure(delivery(bytes));
      const unpacked = unpack(delivery(bytes), 1_000);
      expect(unpacked).toHaveLength(contents.events);
      return unpacked;
    },
    good: [pack(events).body, pack(events, { common: 'x' }).body],
  },
  'a reference': {
    read: (bytes) => decodeReference(bytes),
    good: [encodeReference({ v: 1, pipeline: 'p', lake: 'l', key, batch, sha256, events: 3, bytes: 1 })],
  },
  'a lake object': {
    read: envelopes,
    good: [gzipSync(`${line('{"n":1}')}\n${line('\0')}\n`)],
    throws: LakeCorrupt,
  },
  'the lines of a lake object': {
    read: (bytes) => envelopes(gzipSync(bytes, { level: 1 })),
    good: [`${line('{"n":1}')}\n${line('\0')}\n`],
    throws: LakeCorrupt,
  },
  'an object’s key': { read: (bytes) => parseObjectKey(bytes.toString('latin1')), good: [key] },
  'an id': { read: (bytes) => timeOfId(bytes.toString('latin1')), good: [batch] },
  'a name': {
    read: (bytes) => [cleanName(bytes.toString('utf16le')), cleanAttributes({ [bytes.toString('utf16le')]: 'a' })],
    good: [Buffer.from('a\0\ud800', 'utf16le')],
  },
  JSON: {
    read: (bytes) => parseJson(bytes.toString('utf8')),
    good: [
      '{"a":[1,-9007199254740993,1.5e300,"\\"9007199254740993",true,null],"__proto__":{"b":12345678901234567890}}',
    ],
    throws: SyntaxError,
  },
  'a duration': {
    read: (bytes) => expect(milliseconds(bytes.toString('utf8'), 'x')).toBeGreaterThanOrEqual(0),
    good: ['500ms', '1.5h', '3d'],
    throws: ConfigError,
  },
  'a JSON pointer': {
    read: (bytes) => idReader(bytes.toString('utf8')),
    good: ['/a/b~1c~0/0'],
    throws: ConfigError,
  },
  'an event with an id': { read: idReader('/a/b'), good: ['{"a":{"b":"id"}}', '{"a":{"b":7}}'], throws: EventRefused },
  'a SQL type': {
    read: (bytes) => overriddenType(bytes.toString('utf8'), 'string'),
    good: ['decimal(12, 2)', 'character varying (20)', 'timestamp with time zone'],
  },
  'a string': { read: column('string', 'varchar(20)'), good: ['a€😀'] },
  'an integer': { read: column('int64'), good: ['-9223372036854775808', '007'] },
  'a decimal': { read: column('decimal', 'decimal(38,10)'), good: ['-12.50', '1.5e-3', '1e20'] },
  'a date': { read: column('date'), good: ['2024-02-29'] },
  'a timestamp': { read: column('timestamp'), good: ['2024-02-29T23:59:59.123456789+01:30', '2024-02-29T00:00Z'] },
};

describe.each(Object.entries(parsers))('%s', (_name, { read, good, throws }) => {
  const taken = good.map((bytes) => Buffer.from(bytes as string));
  /** What it throws, if anything, is typed, and quotes nothing at length. */
  const attempt = (bytes: Buffer): void => {
    try {
      read(bytes);
    } catch (error) {
      if (throws === undefined || !(error instanceof throws)) throw error;
    }
  };

  test('is read where it is good', () => {
    for (const bytes of taken) {
      const result = read(bytes);
      expect(result instanceof Refusal ? result.reason : undefined).toBeUndefined();
    }
  });

  test('of any bytes, or good ones changed, gives an answer or its typed error', () => {
    const piece = fc.oneof(
      anyBody,
      fc
        .constantFrom(
          '{',
          '}',
          '[',
          ']',
          '"',
          '\\',
          '-',
          '0',
          '9',
          'e',
          '.',
          '\n',
          '\0',
          '\ufeff',
          '__proto__',
          '1e999',
          '/',
          '_',
        )
        .map((text) => Buffer.from(text)),
    );
    const changed = fc
      .tuple(
        fc.constantFrom(...taken),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 3 }), piece), { minLength: 1, maxLength: 4 }),
      )
      .map(([bytes, changes]) =>
        changes.reduce((text, [where, cut, put]) => {
          const at = where % (text.length + 1);
          return Buffer.concat([text.subarray(0, at), put, text.subarray(at + cut)]);
        }, bytes),
      );
    fc.assert(
      fc.property(
        fc.oneof(
          changed,
          anyBody.map((bytes) => Buffer.from(bytes)),
        ),
        attempt,
      ),
      { numRuns: 1_500 },
    );
  });

  test('a megabyte long, of what is costly to read, takes no time that grows faster than its length', () => {
    const half = 500_000;
    const repeated = [
      '{',
      '[',
      '"',
      '\\',
      '\\"',
      '0',
      '9',
      '-',
      '9.',
      '1e9',
      ' ',
      '\n',
      ',',
      '[[],',
      '{"a":',
      '"\\\\',
      '\0',
      '€',
      '/',
      '~',
      '(9',
    ];
    const began = performance.now();
    for (const text of repeated) {
      const many = Buffer.from(text.repeat(half / text.length));
      attempt(many);
      for (const bytes of taken) {
        const middle = bytes.length >> 1;
        attempt(Buffer.concat([bytes.subarray(0, middle), many, bytes.subarray(middle)]));
        attempt(Buffer.concat([bytes, many]));
      }
    }
    // Were it quadratic, hours.
    expect(performance.now() - began).toBeLessThan(30_000);
  });
});

test('lines come as they were, wherever the chunks end', async () => {
  const longest = 40;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(anyBody, fc.constant(Buffer.from('\n'))), { maxLength: 20 }), async (chunks) => {
      const whole = Buffer.concat(chunks).toString('latin1');
      const parts = whole.split('\n');
      if (parts.at(-1) === '') parts.pop();
      async function* source(): AsyncGenerator<Uint8Array> {
        for (const chunk of chunks) yield await Promise.resolve(chunk);
      }
      const lines = [];
      for await (const some of splitLines(source(), longest)) lines.push(...some);
      expect(lines.map(({ number, length }) => [number, length])).toEqual(parts.map((text, n) => [n + 1, text.length]));
      expect(lines.map(({ bytes }) => bytes && Buffer.from(bytes).toString('latin1'))).toEqual(
        parts.map((text) => (text.length <= longest ? text : undefined)),
      );
    }),
  );
});

test('JSON is read as JSON.parse reads it, but for integers that it would lose', () => {
  const numbers = fc.oneof(
    fc.bigInt().map(String),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.constantFrom('0', '-0', '1e5', '1E+5', '9007199254740993'),
  );
  const texts = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      numbers,
      fc.oneof(anyText, fc.bigInt().map(String)).map((text) => JSON.stringify(text)),
      fc.array(tie('tree')).map((items) => `[ ${items.join(' ,')}]`),
      fc
        .array(fc.tuple(anyText, tie('tree')))
        .map((members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}:\t${value}`).join()}}`),
    ),
  })).tree;
  const asNumbers = (value: unknown): unknown => {
    if (typeof value === 'bigint') return Number(value);
    if (Array.isArray(value)) return value.map(asNumbers);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, asNumbers(member)]));
  };
  fc.assert(
    fc.property(texts, (text) => {
      expect(asNumbers(parseJson(text))).toEqual(JSON.parse(text));
    }),
    { numRuns: 500 },
  );
});

test('what was compressed is read back whole', () => {
  fc.assert(
    fc.property(fc.array(anyBody, { minLength: 1, maxLength: 5 }), (bodies) => {
      const lines = bodies.map((body) => encodeEnvelope({ id: 'a', sentAt: 0, attributes: {}, body }, 'app', batch));
      const object = gzipSync(lines.map((text) => `${text}\n`).join(''));
      expect(gunzipSync(object).toString('utf8').split('\n')).toHaveLength(bodies.length + 1);
      const claims = { key: 'k', source: 'app', batch, events: bodies.length, sha256: hash('sha256', object) };
      const read = [...envelopesOf(object, claims)].map(({ body, bodyEncoding }) =>
        Buffer.from(body, bodyEncoding ?? 'utf8'),
      );
      expect(read.map((body) => body.toString('hex'))).toEqual(bodies.map((body) => Buffer.from(body).toString('hex')));
    }),
  );
});

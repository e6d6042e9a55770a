import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { LakeCorrupt, UserCodeError } from '../src/errors.js';
import { newId } from '../src/ids.js';
import { pack } from '../src/packing.js';
import { encodeBatch } from '../src/starter/encode.js';
import {
  createTransformer,
  type TableFailure,
  type TableFiles,
  type TableOutcome,
  type Transformer,
  type TransformerOptions,
  type TransformRequest,
} from '../src/transform/transformer.js';
import { lakeObject, linesOf, objectOf } from './transform-objects.js';

const config = `import { defineConfig } from 'catchment';
export default defineConfig({ pipeline: 'test', tables: './tables.ts' });
`;
/** `bad` does what the event asks of it, and notes which thread did; it comes first. `good` must see each event as it came. */
const tables = `import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, threadId, Worker } from 'node:worker_threads';
import { defineTable } from 'catchment';
import { z } from 'zod';

const kept: unknown[] = [];
const asked: Record<string, (json: any, event: any) => unknown> = {
  hang: () => /^(a+)+$/.test('a'.repeat(50) + '!'),
  exit: () => process.exit(0),
  buffers: () => { for (;;) kept.push(Buffer.alloc(1e7, 1)); },
  keep: () => kept.push(Buffer.alloc(1e7, 1)),
  arrays: () => { for (;;) kept.push(new Array(3e6).fill(0)); },
  leak: () => kept.push(Array.from({ length: 1e5 }, () => ({}))),
  kill: () => process.kill(process.pid, 'SIGKILL'),
  abort: () => process.abort(),
  port: () => { parentPort!.postMessage({ files: [] }); parentPort!.close(); },
  print: () => { for (let i = 0; i < 1000; i++) console.log('x'.repeat(1e6)); },
  timers: () => setInterval(() => undefined, 1),
  threads: () => new Worker('for (;;);', { eval: true }),
  globals: () => { JSON.parse = () => ({}); },
  prototypes: () => Object.assign(Object.prototype, { polluted: () => 1 }),
  slow: () => new Promise((resolve) => setTimeout(resolve, 40)),
  rejects: () => void Promise.reject({}),
  nothing: () => { throw null; },
  proxy: () => { throw new Proxy({}, { getPrototypeOf() { throw 1; } }); },
  json: (json) => { json.n = 7; },
  deep: (json) => { json.list[0].x = 7; },
  body: (_json, event) => { event.body.fill(0); },
  attributes: (_json, event) => { event.attributes.a = 'x'; },
  id: (_json, event) => { event.id = 'x'; },
};
const made: Record<string, (row: object) => unknown> = {
  getter: () => ({ get n() { throw new Error('no'); } }),
  row: (row) => new Proxy(row, { get() { throw 1; } }),
  then: (row) => ({ ...row, then: 5 }),
  endless: () => (function* () { for (;;) yield { n: 1 }; })(),
};

export const bad = defineTable('bad', {
  match: (event: any) => {
    const { does, where } = event.json;
    if (where === 'answer') return { get then() { throw new Error('no'); } } as never;
    if (where === 'match') asked[does]!(event.json, event);
    return true;
  },
  row: z.object({ n: z.int() }),
  rows: (json: any, { event }): any => {
    appendFileSync(join(import.meta.dirname, 'seen'), threadId + ' ' + json.n + '\\n');
    const does = json.where === undefined ? asked[json.does]?.(json, event) : undefined;
    if (does instanceof Promise) return does.then(() => ({ n: json.n }));
    return (made[json.does] ?? ((row) => row))({ n: json.n });
  },
});

export const good = defineTable('good', {
  event: z.object({ n: z.int(), list: z.array(z.object({ x: z.int() })).optional() }),
  row: z.object({ n: z.int(), whole: z.boolean(), json: z.unknown() }),
  rows: (json, { event }) => ({
    n: json.n,
    whole: event.body[0] === 0x7b && event.id !== 'x' && event.attributes.a === undefined,
    json,
  }),
});
`;

let dir: string;
let transformer: Transformer;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'transform-'));
  await writeFile(join(dir, 'catchment.config.ts'), config);
  await writeFile(join(dir, 'tables.ts'), tables);
});

afterEach(async () => {
  await transformer.close();
  await rm(dir, { recursive: true });
});

function start(options: TransformerOptions = {}): void {
  transformer = createTransformer({ config: dir, dir }, { deadlineMs: 30_000, memoryMb: 256, ...options });
}

interface Asked {
  readonly does?: string;
  readonly where?: 'match' | 'answer';
}

/** Event 0, those asked for, and one more: what came before and after is no concern of theirs. */
async function transform(...asked: Asked[]): Promise<readonly TableOutcome[]> {
  const bodies = [{}, ...asked, {}].map((each, n) => ({ body: { ...each, n, list: [{ x: n }] } }));
  const outcomes = await transformer.transform(lakeObject(bodies));
  const good = linesOf(filesOf('good', outcomes).rows);
  expect(good.map(({ n, whole, json }) => [n, whole, JSON.parse(json as string) as unknown])).toEqual(
    bodies.map(({ body: { n, list } }) => [String(n), true, { n, list }]),
  );
  return outcomes;
}

function filesOf(table: string, outcomes: readonly TableOutcome[]): TableFiles {
  const outcome = outcomes.find((each) => each.table === table);
  if (outcome === undefined || 'error' in outcome) throw outcome?.error ?? new Error('no outcome');
  return outcome;
}

/** By the event's number: why it was rejected. All others have a row. */
function rejections(outcomes: readonly TableOutcome[]): Record<number, unknown> {
  const { rows, rejections: rejected, matched } = filesOf('bad', outcomes);
  const reasons = linesOf(rejected).map(({ line, reason }) => [Number(line) - 1, reason]);
  expect(linesOf(rows).length + reasons.length).toBe(matched);
  return Object.fromEntries(reasons) as Record<number, unknown>;
}

const seen = (): string[] => readFileSync(join(dir, 'seen'), 'utf8').trimEnd().split('\n');

test('what user code does to its thread, to globals, or to its event concerns no other event and no other table', async () => {
  start();
  const threw = expect.stringMatching(/^rows threw (Type|)Error at tables\.ts:\d+$/) as string;
  const cases: readonly (readonly [Asked, string?])[] = [
    [{ does: 'print' }],
    [{ does: 'port' }],
    [{ does: 'timers' }],
    [{ does: 'threads' }],
    [{ does: 'rejects' }],
    [{ does: 'prototypes' }],
    [{ does: 'then' }],
    [{ does: 'body' }],
    [{ does: 'kill' }, threw],
    [{ does: 'abort' }, threw],
    [{ does: 'globals' }, threw],
    [{ does: 'json' }, threw],
    [{ does: 'deep' }, threw],
    [{ does: 'attributes' }, threw],
    [{ does: 'id' }, threw],
    [{ does: 'nothing' }, 'rows threw something that is no Error'],
    [{ does: 'proxy' }, 'rows threw something that is no Error'],
    [{ does: 'row' }, 'rows threw something that is no Error'],
    [{ does: 'getter' }, expect.stringMatching(/^the row schema threw Error at tables\.ts:\d+$/) as string],
    [{ does: 'endless' }, 'rows[0].n: expected number'],
    [{ does: 'json', where: 'match' }, expect.stringMatching(/^match threw TypeError/) as string],
    [{ does: 'proxy', where: 'match' }, 'match threw something that is no Error'],
    [{ where: 'answer' }, expect.stringMatching(/^match threw Error/) as string],
  ];
  const expected = cases.flatMap(([, reason], index) => (reason === undefined ? [] : [[index + 1, reason]]));
  expect(rejections(await transform(...cases.map(([each]) => each)))).toEqual(Object.fromEntries(expected));
});

test('an event that ended the thread is rejected after it did so again, alone in a fresh one', async () => {
  start();
  expect(rejections(await transform({ does: 'exit' }))).toEqual({ 1: 'ended the thread (process.exit?)' });
  const threads = [...new Set(seen().map((line) => line.split(' ')[0]))];
  const by = threads.map((thread) => seen().flatMap((line) => (line.startsWith(`${thread} `) ? line.slice(-1) : [])));
  expect(by).toEqual([['0', '1'], ['1'], ['0', '2']]);
});

test.each([
  ['a pattern that backtracks for ever', 'hang', 1_000, 'took longer than 1 s'],
  ['Buffers, which are outside the heap', 'buffers', 30_000, 'needed more than 256 MB of memory'],
  ['large pieces of the heap, of which V8 may end the process', 'arrays', 30_000, 'needed more than 256 MB of memory'],
])('%s: costs its own event', async (_name, does, deadlineMs, reason) => {
  start({ deadlineMs });
  expect(rejections(await transform({ does }))).toEqual({ 1: reason });
});

test('a table that leaks, event by event, fails, and no other one in its place', async () => {
  start();
  const outcomes = await transform(...Array.from({ length: 300 }, () => ({ does: 'leak' })));
  const bad = outcomes.find(({ table }) => table === 'bad') as TableFailure;
  expect(bad.error).toBeInstanceOf(UserCodeError);
  expect(bad.error.message).toMatch(/^bad: its code ended the thread 3 times .* needed more than 256 MB of memory;/);
});

test('a table that is slow, but never too slow for one event, is left out for the others, and alone takes its time', async () => {
  start({ deadlineMs: 100, memoryMb: 1024 });
  const many = Array.from({ length: 100 }, () => ({ does: 'slow' }));
  const bad = (await transform(...many)).find(({ table }) => table === 'bad') as TableFailure;
  expect(bad.error).toBeInstanceOf(UserCodeError);
  expect(bad.error.message).toMatch(/^bad: its code took more than 1 s of one object, while other tables wait/);
  const request = { ...lakeObject(many.map((body, n) => ({ body: { ...body, n } }))), tables: ['bad'] };
  expect(filesOf('bad', await transformer.transform(request))).toMatchObject({ rows: { lines: many.length } });
});

test('a thread whose code keeps Buffers is changed for a new one', async () => {
  start();
  // The fourth object meets a new one: three have left 300 MB.
  for (let object = 0; object < 4; object++) await transform(...Array.from({ length: 10 }, () => ({ does: 'keep' })));
  expect(new Set(seen().map((line) => line.split(' ')[0])).size).toBe(2);
});

describe('objects', () => {
  async function encoded(body: Buffer, attributes: Record<string, string> = {}): Promise<TransformRequest> {
    const batch = newId();
    const deliveries = [{ id: newId(), sentAt: new Date(), body, attributes }];
    const { body: object, events, sha256 } = await encodeBatch({ source: 'app', batch, dedupeMs: 1_000, deliveries });
    return { ...objectOf([], batch), object, events, sha256 };
  }
  const whole = `import { defineTable } from 'catchment';
import { z } from 'zod';
const row = z.object({ n: z.int() });
export const bytes = defineTable('bytes', { row, rows: (_json, { event }) => ({ n: event.body.length }) });
export const json = defineTable('json', { event: z.array(z.unknown()), row, rows: ({ length }) => ({ n: length }) });
`;
  const largest = 10 * 2 ** 20;

  test.each<[string, () => Promise<TransformRequest>]>([
    [
      'escaped, each byte as six, and wide',
      () => encoded(Buffer.concat([Buffer.alloc(largest - 3, 1), Buffer.from('€')])),
    ],
    ['of three million objects', () => encoded(Buffer.from(`[${'{},'.repeat(largest / 3 - 1)}{}]`))],
    [
      'packed, and expands to 64 MB of what each byte is escaped in',
      () => {
        const events = Array.from({ length: 1_000 }, () => ({ id: newId(), attributes: {}, body: new Uint8Array(0) }));
        const { body, attributes } = pack(events, { a: '\u0001'.repeat(63_500) });
        return encoded(body as Buffer, attributes);
      },
    ],
  ])('of the largest message there is, %s, pass through', async (_name, make) => {
    await writeFile(join(dir, 'tables.ts'), whole);
    transformer = createTransformer({ config: dir, dir });
    const request = await make();
    const outcomes = await transformer.transform(request);
    expect(filesOf('bytes', outcomes).rows?.lines).toBe(request.events);
    const { rows, rejections: rejected } = filesOf('json', outcomes);
    expect((rows?.lines ?? 0) + (rejected?.lines ?? 0)).toBe(request.events);
  });

  test('that expand without end, or have a line without end, are corrupt', async () => {
    start({ memoryMb: 1024 });
    const corrupt = async (object: Buffer): Promise<LakeCorrupt> => {
      const sha256 = hash('sha256', object);
      const error: unknown = await transformer
        .transform({ ...objectOf([], newId()), object, sha256 })
        .catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(LakeCorrupt);
      return error as LakeCorrupt;
    };
    const zeros = gzipSync(Buffer.alloc(51_000_000));
    expect((await corrupt(Buffer.concat([zeros, zeros]))).message).toMatch(/line 1 is longer than 100000000 bytes/);
    const bomb = Buffer.concat(Array<Buffer>(8).fill(zeros));
    expect((await corrupt(bomb)).message).toMatch(/expands to more than 400000000 bytes/);
    await transform({});
  });
});

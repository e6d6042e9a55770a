import { execFile } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import Database from 'libsql';

import { CatchmentError, Unavailable } from '../src/errors.js';
import { timeOfId } from '../src/ids.js';
import { localQueue } from '../src/providers/local/queue.js';
import type { Delivery, Message, Outcome, Queue } from '../src/providers/queue.js';

const run = promisify(execFile);
const jiti = join(dirname(createRequire(import.meta.url).resolve('jiti/package.json')), 'lib/jiti-cli.mjs');
const { signal } = new AbortController();
const leaseMs = 30_000;

let folder: string;
const opened: Queue[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catchment-queue-'));
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((queue) => queue.close()));
  await rm(folder, { recursive: true });
});

const file = (): string => join(folder, 'queue/secondary.db');

function open(path?: string): Queue {
  const provider = localQueue(path === undefined ? {} : { path });
  const queue = provider.open({ pipeline: 'test', dataDir: folder, part: 'secondary' });
  opened.push(queue);
  return queue;
}

const text = (body: string): Message => ({ body: Buffer.from(body), attributes: {} });
const receive = (queue: Queue, messages = 1, waitMs = 5000): Promise<Delivery[]> =>
  queue.receive({ messages, waitMs, leaseMs, signal });

function expectUnavailable(outcome: Outcome | undefined, words: RegExp): void {
  expect(outcome).toMatchObject({ status: 'failed', retry: true });
  const { error } = outcome as { error: Error };
  expect(error).toBeInstanceOf(Unavailable);
  expect(error.message).toMatch(words);
  expect(error.message).toContain(folder);
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('the file', () => {
  test('is made by the first call, under the data folder and the name of the part', async () => {
    const queue = open();
    expect(await readdir(folder)).toEqual([]);
    await queue.send([text('first')]);
    expect(existsSync(file())).toBe(true);
    expect((await readdir(dirname(file()))).filter((name) => !name.startsWith('secondary.db'))).toEqual([]);
  });

  test('lies where the option says', async () => {
    await open(join(folder, 'elsewhere/q.db')).send([text('first')]);
    expect(existsSync(join(folder, 'elsewhere/q.db'))).toBe(true);
  });

  test('is one for all who open it at the same moment', async () => {
    const queues = Array.from({ length: 8 }, () => open());
    await Promise.all(queues.map((queue, index) => queue.send([text(String(index))])));
    const got = await receive(queues[0]!, 8);
    expect(got.map(({ body }) => Buffer.from(body).toString()).sort()).toEqual([
      '0',
      '1',
      '2',
      '3',
      '4',
      '5',
      '6',
      '7',
    ]);
    expect((await readdir(dirname(file()))).filter((name) => !name.startsWith('secondary.db'))).toEqual([]);
  });

  test('shrinks once it is drained and nothing flows', async () => {
    const queue = open();
    const body = Buffer.alloc(2 ** 20, 'x');
    for (let count = 0; count < 24; count++) await queue.send([{ body, attributes: {} }]);
    const size = (): number =>
      ['', '-wal'].reduce((sum, suffix) => sum + (statSync(file() + suffix, { throwIfNoEntry: false })?.size ?? 0), 0);
    expect(size()).toBeGreaterThan(24 * 2 ** 20);
    for (let left = 24; left > 0;) {
      const got = await receive(queue, 10);
      left -= got.length;
      await queue.acknowledge(got.map(({ receipt }) => receipt));
    }
    await until(() => size() < 2 * 2 ** 20);
    expect(statSync(`${file()}-wal`).size).toBe(0);
  });

  test('that is no queue is told with its path and what to do, and used once that is done', async () => {
    const path = join(folder, 'q.db');
    await writeFile(path, 'this is no database, however long it may be '.repeat(100));
    const queue = open(path);
    expectUnavailable((await queue.send([text('x')]))[0], /move it away/);
    await expect(receive(queue)).rejects.toThrow(/move it away/);
    expect(await queue.check({ surviveMs: 1_000, leaseMs: 1_000 })).toMatchObject([{ level: 'error' }]);
    await rename(path, `${path}.away`);
    expect(await queue.send([text('x')])).toEqual([{ status: 'done' }]);
  });

  test('in a folder that cannot be made is told, and made once it can', async () => {
    await writeFile(join(folder, 'taken'), '');
    const queue = open(join(folder, 'taken/q.db'));
    expectUnavailable((await queue.send([text('x')]))[0], /is no folder/);
    await rm(join(folder, 'taken'));
    expect(await queue.send([text('x')])).toEqual([{ status: 'done' }]);
  });

  test('removed while in use takes no more messages, and goes on when it is back', async () => {
    const queue = open();
    await queue.send([text('before')]);
    await rename(dirname(file()), `${dirname(file())}.away`);
    expectUnavailable((await queue.send([text('lost?')]))[0], /removed or replaced/);
    await expect(receive(queue)).rejects.toThrow(Unavailable);
    await rename(`${dirname(file())}.away`, dirname(file()));
    expect(await queue.send([text('after')])).toEqual([{ status: 'done' }]);
    const got = await receive(queue, 2);
    expect(got.map(({ body }) => Buffer.from(body).toString())).toEqual(['before', 'after']);
  });

  test('replaced by another is noticed, and no receipt of the first fits a message of the second', async () => {
    const queue = open();
    await queue.send([text('first')]);
    const [first] = await receive(queue);
    await queue.close();
    await rm(dirname(file()), { recursive: true });
    const next = open();
    await next.send([text('second')]);
    const [second] = await receive(next);
    await next.acknowledge([first!.receipt]);
    expect(await next.extend([second!.receipt], 0)).toEqual([{ status: 'done' }]);
  });

  test('on a disk that takes no more fails the send alone, and harms nothing that is there', async () => {
    const queue = open();
    await queue.send([text('before')]);
    // The limit of a process stands in for a full disk: SQLite meets it in the same places.
    const script = `
      import { localQueue } from '${join(import.meta.dirname, '../src/providers/local/queue.ts')}';
      const queue = localQueue().open({ pipeline: 'test', dataDir: ${JSON.stringify(folder)}, part: 'secondary' });
      const large = await queue.send([{ body: Buffer.alloc(4_000_000, 'x'), attributes: {} }]);
      const got = await queue.receive({ messages: 1, waitMs: 5000, leaseMs: 60_000, signal: new AbortController().signal });
      const done = await queue.acknowledge(got.map(({ receipt }) => receipt));
      console.log(JSON.stringify({ large: large[0].error?.message, got: got.length, done }));
      await queue.close();
    `;
    await writeFile(join(folder, 'full.ts'), script);
    const limited = `ulimit -f 2000; exec '${process.execPath}' '${jiti}' '${join(folder, 'full.ts')}'`;
    const { stdout } = await run('bash', ['-c', limited]);
    const report = JSON.parse(stdout) as { large?: string; got: number; done: Outcome[] };
    expect(report.large).toMatch(/failed \(SQLITE_(IOERR|FULL)\w*\)/);
    expect(report).toMatchObject({ got: 1, done: [{ status: 'done' }] });
    expect(await queue.backlog()).toEqual({ waiting: 0, leased: 0 });
    expect(await queue.send([{ body: Buffer.alloc(4_000_000, 'x'), attributes: {} }])).toEqual([{ status: 'done' }]);
  });
});

describe('a lock that another process holds', () => {
  test('keeps calls waiting, but neither the caller nor an abort; then they go on', async () => {
    const queue = open();
    await queue.send([text('first')]);
    const other = new Database(file());
    other.exec('BEGIN IMMEDIATE');
    const answered: string[] = [];
    const sending = queue.send([text('second')]).then((outcomes) => answered.push(outcomes[0]!.status));
    const stop = new AbortController();
    const waiting = queue.receive({ messages: 1, waitMs: 60_000, leaseMs, signal: stop.signal });
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort();
    expect(await waiting).toEqual([]);
    expect(answered).toEqual([]);
    other.exec('COMMIT');
    other.close();
    await sending;
    expect(answered).toEqual(['done']);
    expect(await receive(queue, 2)).toHaveLength(2);
  });
});

describe('a message', () => {
  test('keeps its group, and attributes that JSON and SQLite find hard', async () => {
    const queue = open();
    const attributes = {
      nul: 'a\0b',
      lone: '\ud800',
      ['__proto__']: 'own',
      '': 'no name',
      'a\0': '',
      long: 'ü'.repeat(9000),
    };
    await queue.send([{ body: Buffer.from('x'), attributes, group: 'g\0ü' }]);
    const [got] = await receive(queue);
    expect(Object.entries(got!.attributes)).toEqual(Object.entries(attributes));
    expect(got!.group).toBe('g\0ü');
  });

  test('has a UUIDv7 of its send time as id, and counts its deliveries', async () => {
    const queue = open();
    const before = Date.now();
    await queue.send([text('x')]);
    const after = Date.now();
    for (let deliveries = 1; deliveries <= 5; deliveries++) {
      const [got] = await receive(queue);
      expect(got!.deliveries).toBe(deliveries);
      expect(timeOfId(got!.id)).toBe(got!.sentAt.getTime());
      expect(got!.sentAt.getTime()).toBeGreaterThanOrEqual(before);
      expect(got!.sentAt.getTime()).toBeLessThanOrEqual(after);
      await queue.extend([got!.receipt], 0);
    }
  });

  test('given back cannot be acknowledged by who gave it', async () => {
    const queue = open();
    await queue.send([text('x')]);
    const [got] = await receive(queue);
    await queue.extend([got!.receipt], 0);
    expect(await queue.acknowledge([got!.receipt])).toEqual([{ status: 'expired' }]);
    expect(await receive(queue)).toHaveLength(1);
  });

  test('whose lease lapsed can still be acknowledged while nobody else has it', async () => {
    const queue = open();
    await queue.send([text('x')]);
    const [got] = await queue.receive({ messages: 1, waitMs: 5000, leaseMs: 1, signal });
    await until(async () => (await queue.backlog()).waiting === 1);
    expect(await queue.acknowledge([got!.receipt])).toEqual([{ status: 'done' }]);
    expect(await queue.acknowledge([got!.receipt])).toEqual([{ status: 'done' }]);
    expect(await queue.extend([got!.receipt], leaseMs)).toEqual([{ status: 'expired' }]);
    expect(await queue.acknowledge(['nonsense', ''])).toEqual([{ status: 'expired' }, { status: 'expired' }]);
  });
});

describe('the thread', () => {
  test('of a queue that nobody closed keeps no process alive, and what was sent is kept', async () => {
    const script = `
      import { localQueue } from '${join(import.meta.dirname, '../src/providers/local/queue.ts')}';
      const queue = localQueue().open({ pipeline: 'test', dataDir: ${JSON.stringify(folder)}, part: 'secondary' });
      console.log(JSON.stringify(await queue.send([{ body: Buffer.from('x'), attributes: {} }])));
    `;
    await writeFile(join(folder, 'unclosed.ts'), script);
    const { stdout } = await run(process.execPath, [jiti, join(folder, 'unclosed.ts')]);
    expect(JSON.parse(stdout)).toEqual([{ status: 'done' }]);
    expect(await receive(open())).toHaveLength(1);
  });

  test('is not started by closing', async () => {
    await open().close();
    expect(await readdir(folder)).toEqual([]);
  });

  test('commits many sends together', async () => {
    const queue = open();
    await queue.send([text('warm')]);
    const hold = new Database(file());
    hold.exec('BEGIN IMMEDIATE');
    const sending = Array.from({ length: 200 }, (_, index) => queue.send([text(String(index))]));
    await queue.backlog();
    const before = statSync(`${file()}-wal`).size;
    hold.exec('COMMIT');
    await Promise.all(sending);
    // 200 commits of their own would write at least as many times the four pages that each of them changes.
    expect(statSync(`${file()}-wal`).size - before).toBeLessThan(100 * 4 * 16384);
    hold.close();
  });
});

test('errors are of the kind that the caller tells apart', async () => {
  const queue = open();
  const [outcome] = await queue.send([{ body: Buffer.alloc(11 * 2 ** 20), attributes: {} }]);
  const { error } = outcome as { error: Error };
  expect(error).toBeInstanceOf(CatchmentError);
  expect(error).not.toBeInstanceOf(Unavailable);
  expect((await stat(folder)).isDirectory()).toBe(true);
});

import { hash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ConfigError, Unavailable } from '../src/errors.js';
import { timeOfId } from '../src/ids.js';
import { unpack } from '../src/packing.js';
import { sendFiles, sizeOfFiles, type SendFilesOptions } from '../src/send/files.js';
import { Ledger } from '../src/send/ledger.js';
import { idReader } from '../src/send/pointer.js';
import { deliveries, MemoryQueue } from './fakes/queue.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'catchment-send-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const options = (more: Partial<SendFilesOptions> = {}): SendFilesOptions => ({
  whole: false,
  attributes: {},
  signal: new AbortController().signal,
  ...more,
});

function arrived(queue: MemoryQueue): { id: string; attributes: object; text: string }[] {
  const events = deliveries(queue).flatMap((delivery) => unpack(delivery, 1_000));
  return events.map(({ id, attributes, body }) => ({ id, attributes, text: Buffer.from(body).toString('latin1') }));
}

test('every line is an event, byte for byte, and lines without anything are none', async () => {
  const queue = new MemoryQueue();
  const path = file('events.ndjson', Buffer.from('{"a":1}\n\n\xff\xfe\0 \r\n\r\n  \nlast', 'latin1'));
  const result = await sendFiles(queue, [path], options({ attributes: { app: 'web' } }));
  expect(result).toEqual({ sent: 4, refused: 0, refusals: [], unsent: 0, interrupted: false });
  expect(arrived(queue).map(({ text }) => text)).toEqual(['{"a":1}', '\xff\xfe\0 \r', '  ', 'last']);
  for (const { id, attributes } of arrived(queue)) {
    expect(timeOfId(id)).toBeDefined();
    expect(attributes).toEqual({ app: 'web' });
  }
});

test('whole files are events, an empty one too', async () => {
  const queue = new MemoryQueue();
  const paths = [file('a', 'one\ntwo\n'), file('b', ''), file('c', Buffer.alloc(300_000))];
  const result = await sendFiles(queue, paths, options({ whole: true }));
  expect(arrived(queue).map(({ text }) => text)).toEqual(['one\ntwo\n', '']);
  expect(result).toMatchObject({ sent: 2, refused: 1 });
  expect(result.refusals).toEqual([
    { place: paths[2], reason: 'the event has 300000 bytes; the queue takes at most 262144' },
  ]);
});

test('what cannot be sent is named by its line, and the others are sent', async () => {
  const queue = new MemoryQueue({ messageBytes: 1_000 });
  const path = file(
    'events.ndjson',
    `{"id":1}\n{"no":1}\n{"id":2,"long":"${'x'.repeat(2_000)}"}\nno json\n{"id":"3"}\n`,
  );
  const result = await sendFiles(queue, [path], options({ idOf: idReader('/id') }));
  expect(arrived(queue).map(({ id }) => id)).toEqual(['1', '3']);
  expect(result.sent).toBe(2);
  expect(result.refusals.map(({ place, reason }) => [place.slice(-2), reason]).sort()).toEqual([
    [':2', 'the event has no value at /id'],
    [':3', 'the event has 2018 bytes; the queue takes at most 1000'],
    [':4', 'the event is no JSON, so it has no id at /id'],
  ]);
});

test('the ledger has a line for each durable event', async () => {
  let failed = false;
  const queue = new MemoryQueue({
    answer: () => {
      if (failed) return undefined;
      failed = true;
      return { status: 'failed', retry: true, error: new Unavailable('down') };
    },
  });
  const path = file('events.ndjson', '{"id":"a"}\n{"id":"b"}\n{}\n');
  const ledgerFile = join(folder, 'ledger');
  const ledger = new Ledger(ledgerFile);
  await sendFiles(queue, [path], options({ ledger, idOf: idReader('/id') }));
  ledger.close();
  const lines = readFileSync(ledgerFile, 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
    ['a', 'b'].map((id) => ({
      id,
      sha256: hash('sha256', `{"id":"${id}"}`),
      at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    })),
  );
});

test('an interrupted sending finishes what it read, and counts what is durable', async () => {
  const queue = new MemoryQueue();
  const stop = new AbortController();
  const path = file('events.ndjson', `${'{"a":1}\n'.repeat(100_000)}cut`);
  const onRead = (): void => stop.abort();
  const result = await sendFiles(queue, [path], options({ signal: stop.signal, onRead }));
  expect(result.interrupted).toBe(true);
  expect(result.sent).toBe(arrived(queue).length);
  expect(result.sent).toBeLessThan(100_000);
  expect(new Set(arrived(queue).map(({ text }) => text))).toEqual(new Set(result.sent > 0 ? ['{"a":1}'] : []));
});

test('a file that cannot be read is a wrong call, known before anything is sent', async () => {
  const path = file('a', 'abc');
  expect(await sizeOfFiles([path, path])).toBe(6);
  expect(await sizeOfFiles([path, '-'])).toBeUndefined();
  await expect(sizeOfFiles([path, join(folder, 'b')])).rejects.toThrow(ConfigError);
  await expect(sizeOfFiles([folder])).rejects.toThrow(/is a folder/);
});

test('a ledger that cannot be written ends the sending with its error', async () => {
  const ledger = new Ledger(join(folder, 'ledger'));
  ledger.close();
  const path = file('events.ndjson', '{}\n');
  await expect(sendFiles(new MemoryQueue(), [path], options({ ledger }))).rejects.toThrow('EBADF');
});

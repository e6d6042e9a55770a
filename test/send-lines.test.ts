import { Readable } from 'node:stream';

import fc from 'fast-check';

import { ConfigError, EventRefused } from '../src/errors.js';
import { splitLines, type Line } from '../src/send/lines.js';
import { idReader } from '../src/send/pointer.js';

async function linesOf(chunks: readonly Uint8Array[], longest = 1_000): Promise<Line[]> {
  const all: Line[] = [];
  for await (const lines of splitLines(Readable.from(chunks), longest)) all.push(...lines);
  return all;
}

const texts = (lines: readonly Line[]): string[] => lines.map(({ bytes }) => Buffer.from(bytes!).toString('latin1'));

test('lines are what stands between line feeds, however the bytes arrive', async () => {
  const bytes = fc.array(fc.constantFrom(0x0a, 0x0a, 0x0d, 0x00, 0xff, 0x61)).map((list) => Buffer.from(list));
  await fc.assert(
    fc.asyncProperty(fc.array(bytes.filter(({ length }) => length > 0)), async (chunks) => {
      const expected = Buffer.concat(chunks).toString('latin1').split('\n');
      if (expected.at(-1) === '') expected.pop();
      const lines = await linesOf(chunks);
      expect(texts(lines)).toEqual(expected);
      expect(lines.map(({ number }) => number)).toEqual(expected.map((_, at) => at + 1));
    }),
  );
});

test('a carriage return belongs to its line', async () => {
  expect(texts(await linesOf([Buffer.from('a\r\nb\r\n')]))).toEqual(['a\r', 'b\r']);
});

test('a line that is too long is counted, not kept', async () => {
  const lines = await linesOf([Buffer.from('ok\nabc'), Buffer.from('defg'), Buffer.from('h\nabcd\nlonger')], 4);
  expect(lines).toEqual([
    { number: 1, bytes: Buffer.from('ok'), length: 2 },
    { number: 2, length: 8 },
    { number: 3, bytes: Buffer.from('abcd'), length: 4 },
    { number: 4, length: 6 },
  ]);
});

const read = (pointer: string, json: string): string => idReader(pointer)(Buffer.from(json));

test.each([
  ['/id', '{"id":"a-1"}', 'a-1'],
  ['/payload/id', '{"payload":{"id":42}}', '42'],
  ['/a~1b/~0c', '{"a/b":{"~c":"x"}}', 'x'],
  ['/list/1', '{"list":["a","b"]}', 'b'],
  ['/', '{"":"empty name"}', 'empty name'],
])('the id at %s of %s is %s', (pointer, json, id) => {
  expect(read(pointer, json)).toBe(id);
});

test.each([
  ['/id', '{}', 'no value'],
  ['/id', '{"id":null}', 'neither a text nor an integer'],
  ['/id', '{"id":""}', 'neither a text nor an integer'],
  ['/id', '{"id":9007199254740993}', 'losing digits'],
  ['/id', '{"id":1.5}', 'losing digits'],
  ['/id', 'nonsense', 'no JSON'],
  ['/toString', '{}', 'no value'],
  ['/id/more', '{"id":"a"}', 'no value'],
])('there is no id at %s of %s', (pointer, json, reason) => {
  expect(() => read(pointer, json)).toThrow(EventRefused);
  expect(() => read(pointer, json)).toThrow(reason);
});

test('a pointer begins with a slash', () => {
  expect(() => idReader('id')).toThrow(ConfigError);
});

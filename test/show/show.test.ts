import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { folderLake } from '../../src/providers/local/lake.js';
import { describeEvent } from '../../src/show/describe-event.js';
import { parsePlace } from '../../src/show/place.js';
import { runCli } from '../run-cli.js';
import { storedObject } from '../stored-object.js';

const config = `import { defineConfig } from 'catchment';
export default defineConfig({ pipeline: 'test', tables: './none.ts' });
`;
let folder: string;
let key: string;
let corrupt: string;
let gone: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'catchment-show-'));
  writeFileSync(join(folder, 'catchment.config.ts'), config);
  const lake = folderLake().open({ pipeline: 'test', dataDir: join(folder, '.catchment'), part: 'lake' });
  const object = await storedObject([
    { id: 'first', body: '{"n":1}' },
    { id: 'second', body: Buffer.from('\ufeff{}'), attributes: { kind: 'odd' } },
  ]);
  key = object.key;
  await lake.put(key, object.body);
  corrupt = (await storedObject([{ body: 'lost' }])).key;
  await lake.put(corrupt, Buffer.from('secret'));
  gone = (await storedObject([{ body: 'gone' }])).key;
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const show = (...args: string[]): ReturnType<typeof runCli> => runCli(['show', ...args], folder);

test('an object is shown one event a line, with the number that names it', async () => {
  const [people, json] = await Promise.all([show(key), show(key, '--json')]);
  expect(people).toMatchObject({ status: 0, stderr: '' });
  const lines = people.stdout.trimEnd().split('\n');
  expect(lines).toEqual([
    expect.stringMatching(/^1 {2}\d{4}-.*Z {2}app {2}first {2}\{"n":1\}$/),
    expect.stringMatching(/^2 {2}\d{4}-.*Z {2}app {2}second {2}.?\{\}$/),
  ]);
  const document = JSON.parse(json.stdout) as { key: string; events: { line: number; envelope: { id: string } }[] };
  expect(document.key).toBe(key);
  expect(document.events.map(({ line, envelope }) => [line, envelope.id])).toEqual([
    [1, 'first'],
    [2, 'second'],
  ]);
});

test('of one line all is shown', async () => {
  const [people, json] = await Promise.all([show(`${key}:2`), show(`${key}:2`, '--json')]);
  expect(people.status).toBe(0);
  expect(people.stdout).toMatch(
    /^raw\/app\/.*:2\nid: second\nsentAt: .*\nsource: app\nbatch: .*\nattributes:\n {2}kind = odd\nbody \(as far as it is text.*\):\n.?\{\}\n$/,
  );
  expect(JSON.parse(json.stdout)).toMatchObject({
    key,
    line: 2,
    envelope: { id: 'second', body: Buffer.from('\ufeff{}').toString('base64'), bodyEncoding: 'base64' },
  });
});

test('what is not there, or is not what was stored, is said in its own kind of error', async () => {
  const calls = [gone, `${key}:3`, `${key}:0`, corrupt, 'raw/app/nonsense', `${key}:one`];
  const results = await Promise.all(calls.map((place) => show(place, '--json')));
  expect(results.map(({ status }) => status)).toEqual([1, 1, 1, 1, 2, 2]);
  const types = results.map(({ stdout }) => (JSON.parse(stdout) as { error: { type: string } }).error.type);
  expect(types).toEqual([...Array<string>(3).fill('LakeNotFound'), 'LakeCorrupt', 'ConfigError', 'ConfigError']);
  expect(results[1]!.stdout).toContain('there is no line 3; it has 2');
  expect(results[3]!.stdout).not.toContain('secret');
});

test('a place is a key with or without a line', () => {
  expect(parsePlace(key, 'it')).toEqual({ key });
  expect(parsePlace(`${key}:12`, 'it')).toEqual({ key, line: 12 });
  expect(() => parsePlace('', 'it')).toThrow('it: "" is no place');
});

test('line feeds of a body stay, and nothing of an event drives the terminal', () => {
  const attributes = { 'a\u001b': 'b\u009b' };
  const envelope = { id: 'i\r', sentAt: 's', source: 'app', batch: 'b', attributes, body: '{\r\n\t"a": 1\n}\u001b[2J' };
  const text = describeEvent(key, { line: 1, envelope });
  expect(text.split('\n').slice(1)).toEqual([
    'id: i ',
    'sentAt: s',
    'source: app',
    'batch: b',
    'attributes:',
    '  a  = b ',
    'body:',
    '{ ',
    '\t"a": 1',
    '} [2J',
  ]);
});

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Envelope } from '../../src/envelope.js';
import { folderLake } from '../../src/providers/local/lake.js';
import type { Lake } from '../../src/providers/lake.js';
import { runCli, startCli } from '../run-cli.js';
import { until } from '../until.js';
import { storedObject, type StoredEvent } from '../stored-object.js';

const config = `import { defineConfig, localQueue } from 'catchment';
const sources = { app: localQueue(), web: localQueue() };
export default defineConfig({ pipeline: 'test', sources, tables: './none.ts', freshness: '100ms' });
`;

let folder: string;
let lake: Lake;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'catchment-tail-'));
  writeFileSync(join(folder, 'catchment.config.ts'), config);
  lake = folderLake().open({ pipeline: 'test', dataDir: join(folder, '.catchment'), part: 'lake' });
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function store(events: readonly StoredEvent[], source = 'app'): Promise<void> {
  const { key, body } = await storedObject(events, source);
  expect(await lake.put(key, body)).toBe('written');
}

interface Output {
  stdout: string;
  stderr: string;
}

/** What the process has said so far. */
function outputOf(child: ChildProcess): Output {
  const output = { stdout: '', stderr: '' };
  child.stdout!.on('data', (text: Buffer) => (output.stdout += text.toString()));
  child.stderr!.on('data', (text: Buffer) => (output.stderr += text.toString()));
  return output;
}

test.each(['SIGINT', 'SIGTERM'] as const)('it shows what comes, and ends well at %s', async (signal) => {
  await store([{ body: 'before' }]);
  const child = startCli(['tail'], { cwd: folder });
  const output = outputOf(child);
  await until('following', () => output.stderr === 'following app, web; Ctrl-C ends it\n');
  await store([{ id: 'one', body: '{"n":1}' }], 'web');
  await until('the event', () => output.stdout.endsWith('\n'));
  child.kill(signal);
  const { status, stdout } = await child.result;
  expect(status).toBe(0);
  expect(stdout).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z {2}web {2}one {2}\{"n":1\}\n$/);
});

test('with --json each line is an envelope, and the options choose', async () => {
  await store([{ body: 'ada 1' }, { body: 'eve' }, { body: Buffer.from([0xff]), attributes: { to: 'ada' } }]);
  await store([{ body: 'ada, elsewhere' }], 'web');
  await store([{ body: 'ada 2' }, { body: 'ada 3' }]);
  const choice = ['--since', '10m', '--source', 'app', '--match', 'ada', '--limit', '3'];
  const { status, stdout } = await runCli(['tail', '--json', ...choice], folder);
  expect(status).toBe(0);
  const envelopes = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Envelope);
  expect(envelopes.map(({ body, bodyEncoding }) => [body, bodyEncoding])).toEqual([
    ['ada 1', undefined],
    ['/w==', 'base64'],
    ['ada 2', undefined],
  ]);
});

test('a source that there is not, and a limit that is none, are wrong calls', async () => {
  const [source, limit] = await Promise.all([
    runCli(['tail', '--source', 'none'], folder),
    runCli(['tail', '--limit', '0'], folder),
  ]);
  expect(source).toMatchObject({ status: 2, stdout: '' });
  expect(source.stderr).toContain('has no source none; it has app, web');
  expect(limit).toMatchObject({ status: 2, stdout: '' });
});

test('it ends when nobody reads any more', async () => {
  const child = startCli(['tail', '--since', '10m'], { cwd: folder });
  const output = outputOf(child);
  await store([{ body: '1' }]);
  await until('the first', () => output.stdout.includes('1\n'));
  // It reads all of stdout, and is told so.
  const result = child.result.catch(() => undefined);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdout!.destroy();
  await store([{ body: '2' }]);
  expect(await ended).toBe(0);
  expect(output.stderr).not.toMatch(/EPIPE|error/);
  await result;
});

test('a reader that has stopped reading does not hold up a stop', async () => {
  await store(Array.from({ length: 10_000 }, () => ({ body: 'x'.repeat(150) })));
  const child = startCli(['tail', '--since', '10m'], { cwd: folder, unread: true });
  const { readableHighWaterMark } = child.stdout!;
  await until('more than is taken in', () => child.stdout!.readableLength >= readableHighWaterMark);
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  child.stdout!.resume();
  await child.result;
});

test('an object that cannot be read is named on stderr by its key, without a byte of it', async () => {
  const { key } = await storedObject([{ body: 'whole' }]);
  await lake.put(key, Buffer.from('secret'));
  await store([{ body: 'other' }]);
  const { status, stdout, stderr } = await runCli(['tail', '--since', '10m', '--limit', '1'], folder);
  expect(status).toBe(0);
  expect(stdout).toContain('other');
  expect(stderr).toContain(`${key} cannot be shown: corrupt\n`);
  expect(stderr).not.toContain('secret');
});

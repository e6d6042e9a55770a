import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';

import { forPeople, withoutRepeats } from '../src/dev/child-lines.js';
import { describeProgress, showProgress, type Progress } from '../src/dev/live-line.js';
import { logFile } from '../src/dev/log-file.js';
import { screen } from '../src/dev/screen.js';

test('of a child a person sees errors, and what is no log line', () => {
  expect(forPeople('{"level":30,"msg":"started"}')).toBeUndefined();
  expect(forPeople('{"level":50,"msg":"the lake cannot be written"}')).toBe('the lake cannot be written');
  expect(forPeople('catchment.config.ts: no such file')).toBe('catchment.config.ts: no such file');
  expect(forPeople('{"broken')).toBe('{"broken');
  expect(forPeople('  ')).toBeUndefined();
});

test('what repeats is said once a minute', () => {
  const said: string[] = [];
  let now = 0;
  const say = withoutRepeats(
    (line) => said.push(line),
    () => now,
  );
  for (const line of ['error: a', 'at b', 'error: a', 'at b']) say(line);
  now = 59_999;
  say('error: a');
  now = 60_000;
  say('error: a');
  expect(said).toEqual(['error: a', 'at b', 'error: a']);
});

test('the live line names what is known', () => {
  const all: Progress = { waiting: 12, inLake: 34_567, loaded: 40_000, rejected: 0, freshnessMs: 850 };
  expect(describeProgress(all, 1_234.5)).toBe(
    '12 waiting · 34,567 in the lake · 40,000 loaded · 0 rejected · 1,235 events/s · fresh to 850 ms',
  );
  expect(describeProgress({}, undefined)).toBe('? waiting · ? in the lake · ? loaded · ? rejected');
});

function terminal(columns?: number): { out: WriteStream; written: () => string } {
  const out = new PassThrough() as unknown as WriteStream;
  Object.assign(out, columns === undefined ? { isTTY: false } : { isTTY: true, columns });
  let text = '';
  out.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { out, written: () => text };
}

test('on a terminal a line stays above the live one, which never wraps', () => {
  const { out, written } = terminal(8);
  const { live, say } = screen(out);
  live('123456789');
  say('an error');
  expect(written()).toBe('\r\u001b[K1234567\r\u001b[Kan error\n1234567');
});

test('numbers that cannot be read do not end the line', async () => {
  const { out, written } = terminal();
  const stop = new AbortController();
  let reads = 0;
  const read = (): Promise<Progress> => {
    reads += 1;
    if (reads === 1) return Promise.reject(new Error('not yet'));
    if (reads === 3) stop.abort();
    return Promise.resolve({ inLake: reads * 10 });
  };
  await showProgress(read, { ...screen(out), terminal: true }, stop.signal);
  expect(written()).toBe('? waiting · 20 in the lake · ? loaded · ? rejected\n');
});

test('a log is bounded, and one that cannot be written ends nothing', () => {
  const dir = mkdtempSync(join(tmpdir(), 'catchment-log-'));
  const file = join(dir, 'logs', 'worker.log');
  const log = logFile(file);
  for (let i = 0; i < 120; i += 1) log('x'.repeat(100_000));
  expect(readdirSync(join(dir, 'logs'))).toEqual(['worker.log', 'worker.log.1']);
  expect(statSync(file).size).toBeLessThan(6_000_000);
  expect(readFileSync(file, 'utf8').endsWith('x\n')).toBe(true);
  rmSync(dir, { recursive: true });
  expect(() => log('gone')).not.toThrow();
});

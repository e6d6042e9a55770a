import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { choosePorts } from '../src/dev/ports.js';
import { endProcess, identify, isRunning } from '../src/dev/processes.js';
import { endRecordedServer, recordedServer, recordServer } from '../src/dev/server-record.js';

test('a process is known by its start time too', () => {
  const self = identify(process.pid)!;
  expect(isRunning(self)).toBe(true);
  expect(isRunning({ ...self, startTime: '1' })).toBe(false);
  expect(identify(999_999_999)).toBeUndefined();
});

test('a process that does not end when asked is ended', async () => {
  const child = spawn(process.execPath, [
    '-e',
    `process.on('SIGTERM', () => {}); console.log(1); setInterval(() => {}, 1e3)`,
  ]);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  await endProcess(identify(child.pid!)!, 100);
  expect(await ended).toBe('SIGKILL');
});

test('a record is believed only while it is true', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'catchment-record-'));
  const file = join(dir, 'temporal.pid');
  expect(recordedServer(file)).toBeUndefined();
  writeFileSync(file, '{"pid":');
  expect(recordedServer(file)).toBeUndefined();
  const stranger = { ...identify(process.pid)!, startTime: 'another' };
  recordServer(file, stranger);
  await endRecordedServer(file, 0); // would end this test
  recordServer(file, identify(process.pid)!);
  expect(recordedServer(file)).toEqual(identify(process.pid));
  rmSync(dir, { recursive: true });
});

test('ports: the usual one, a free one in place of a taken one, an error where it was asked for', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const taken = (other.address() as { port: number }).port;
  const said: string[] = [];
  const choose = (asked: number | undefined, usual: number): Promise<number[]> =>
    choosePorts([{ flag: '--ui-port', asked, usual }], (line) => said.push(line));

  expect(await choose(0, taken)).not.toEqual([taken]);
  expect(said).toEqual([]);
  const [instead] = await choose(undefined, taken);
  expect(said).toEqual([`Port ${taken} is taken, ${instead!} serves instead (--ui-port names another)`]);
  await expect(choose(taken, 1)).rejects.toThrow('the port is taken');
  await new Promise((resolve) => other.close(resolve));
  expect(await choose(taken, 1)).toEqual([taken]);
});

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { identify } from '../../src/dev/processes.js';
import { endChildren, startChild } from '../child.js';
import { until } from '../until.js';
import { StandIn, type Program } from './process.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'catchment-process-'));
});
afterEach(async () => {
  await endChildren();
  rmSync(folder, { recursive: true });
});

const server = `require('node:http').createServer((_, response) => response.end('here')).listen(+process.argv[1], '127.0.0.1')`;
const program: Program = {
  name: 'program',
  ports: 1,
  command: (_folder, [port]) => [process.execPath, '-e', server, String(port)],
  answers: async ([port]) => (await fetch(`http://127.0.0.1:${port!}/`)).ok,
};
const answer = async (one: StandIn): Promise<string> => await (await fetch(one.endpoint)).text();

test('a stand-in answers, is killed, comes back under the same address as another process, and stops', async () => {
  const one = await StandIn.start(program, folder);
  const { pid } = one;
  expect(await answer(one)).toBe('here');
  await one.kill();
  expect(identify(pid)).toBeUndefined();
  await expect(answer(one)).rejects.toThrow();
  await one.restart();
  expect(one.pid).not.toBe(pid);
  expect(await answer(one)).toBe('here');
  const again = one.pid;
  await one.stop();
  expect(identify(again)).toBeUndefined();
  await one.stop();
});

test('one that does not start says why, by the end of its log', async () => {
  const broken: Program = {
    ...program,
    command: () => [process.execPath, '-e', `console.error('the disk is full'); process.exit(1)`],
  };
  await expect(StandIn.start(broken, folder)).rejects.toThrow(/program ended; [^]*the disk is full/);
  const absent: Program = { ...program, command: () => [join(folder, 'absent')] };
  await expect(StandIn.start(absent, folder)).rejects.toThrow('absent cannot be run');
});

test('a port lost to another process is tried again with another one', async () => {
  const others: Server[] = [];
  const late: Program = {
    ...program,
    command: (where, ports) => {
      // Between the look and the start.
      if (others.length < 2) others.push(createServer((socket) => socket.destroy()).listen(ports[0], '127.0.0.1'));
      return program.command(where, ports);
    },
  };
  const one = await StandIn.start(late, folder);
  expect(await answer(one)).toBe('here');
  await one.stop();
  for (const other of others) other.close();
});

test('it ends with the process that started it, also with one that is killed', async () => {
  const user = startChild(join(import.meta.dirname, 'standin-user.ts'), folder);
  const pid = Number((await user.says('runs ')).slice('runs '.length));
  expect(identify(pid)).toBeDefined();
  await user.kill('SIGKILL');
  await until('the stand-in gone', () => identify(pid) === undefined);
});

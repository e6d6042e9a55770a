import { identify } from '../src/dev/processes.js';
import { supervise, type Supervised, type Supervisor } from '../src/dev/supervise.js';
import { until } from './integration/dev-harness.js';

const backoff = { firstMs: 20, longestMs: 100, steadyMs: 5_000 };
let supervisor: Supervisor | undefined;
afterEach(() => supervisor?.kill());

function run(script: string, more: Partial<Supervised> = {}): { lines: string[]; ends: [string, number][] } {
  const lines: string[] = [];
  const ends: [string, number][] = [];
  supervisor = supervise({
    name: 'child',
    command: process.execPath,
    args: ['-e', script],
    env: { ...process.env, NODE_OPTIONS: '' },
    backoff,
    onLine: (line) => lines.push(line),
    onEnd: (how, restartInMs) => ends.push([how, restartInMs]),
    ...more,
  });
  return { lines, ends };
}

test('a child that ends is started again, later each time up to the longest', async () => {
  const { lines, ends } = run(`console.log('up'); console.error('down'); process.exit(4)`);
  await until('five ends', () => ends.length >= 5);
  expect(ends.slice(0, 5).map(([, ms]) => ms)).toEqual([20, 40, 80, 100, 100]);
  expect(ends[0]![0]).toBe('ended with status 4');
  expect(lines.slice(0, 2).sort()).toEqual(['down', 'up']);
});

test('the wait is short again once a child ran for a while', async () => {
  const { ends } = run('setTimeout(() => process.exit(1), 50)', { backoff: { ...backoff, steadyMs: 20 } });
  await until('three ends', () => ends.length >= 3);
  expect(ends.slice(0, 3).map(([, ms]) => ms)).toEqual([20, 20, 20]);
});

test('a program that is not there is an end like any other', async () => {
  const { ends } = run('', { command: '/nowhere/at-all' });
  await until('two ends', () => ends.length >= 2);
  expect(ends[0]).toEqual(['could not be started (ENOENT)', 20]);
});

test('stop closes its stdin, and it is not started again', async () => {
  const { lines, ends } = run(
    `process.on('SIGTERM', () => {}); process.stdin.resume().on('end', () => process.exit(0)); console.log('up')`,
  );
  await until('it to be up', () => lines.includes('up'));
  await supervisor!.stop();
  expect(supervisor!.pid).toBeUndefined();
  expect(ends).toEqual([]);
});

test('stop while it is down leaves it down', async () => {
  const { ends } = run('process.exit(1)', { backoff: { ...backoff, firstMs: 50 } });
  await until('an end', () => ends.length === 1);
  await supervisor!.stop();
  expect(supervisor!.pid).toBeUndefined();
});

test('kill takes its process group with it, and is not held up by a grandchild that has its output', async () => {
  const { lines } = run(`
    const { spawn } = require('node:child_process');
    const apart = spawn('sleep', ['60'], { stdio: 'inherit', detached: true });
    const within = spawn('sleep', ['60'], { stdio: 'inherit' });
    console.log(apart.pid + ' ' + within.pid);
    setInterval(() => {}, 1000);
  `);
  const [apart, within] = (await until('two pids', () => lines[0])).split(' ').map(Number);
  await supervisor!.kill();
  await until('the one of its group to be gone', () => identify(within!) === undefined);
  expect(identify(apart!)).toBeDefined();
  process.kill(apart!, 'SIGKILL');
});

test('replace ends the child and starts another', async () => {
  const pids: number[] = [];
  run('setInterval(() => {}, 1000)', { onStart: (pid) => pids.push(pid) });
  await until('a start', () => pids.length === 1);
  supervisor!.replace();
  await until('a second start', () => pids.length === 2);
  expect(supervisor!.restarts).toBe(1);
  expect(supervisor!.pid).toBe(pids[1]);
});

import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { isRunning } from '../../src/dev/processes.js';
import { DevFolder, kill, until } from './dev-harness.js';

let folder: DevFolder;
beforeEach(() => {
  folder = new DevFolder();
});
afterEach(() => folder.close());

test('ends the last started first, the server last, and leaves nothing', async () => {
  const dev = folder.start({ worker: 'drains', poll: 'drains' });
  const { record, server } = await folder.up(['worker', 'poll']);
  expect(record).toMatchObject({
    pid: dev.pid,
    temporalAddress: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
  });
  expect(folder.notes().sort()).toEqual(
    ['poll', 'worker'].map((name) => `${name} started ${record.processes![name]!.pid} ${record.temporalAddress}`),
  );

  dev.interrupt();
  await until('the worker to be asked', () => folder.notes().includes('worker asked'));
  expect(isRunning(server)).toBe(true);
  expect(await dev.ended).toBe(0);
  expect(folder.notes().slice(2)).toEqual(['poll asked', 'poll ended', 'worker asked', 'worker ended']);
  expect(folder.running()).toEqual([]);
  expect(folder.record()).toBeUndefined();
});

test('a SIGKILL of dev alone leaves no process', async () => {
  const dev = folder.start({ worker: 'drains', poll: 'drains' });
  await folder.up(['worker', 'poll']);
  kill(dev.pid, 'SIGKILL');
  await folder.nothingRuns();
  expect(folder.notes().filter((note) => note.endsWith('ended'))).toHaveLength(2);
});

test('a SIGKILL while the server is being started leaves no process', async () => {
  const dev = folder.start({});
  await until('the watcher', () => folder.running().length > 1);
  kill(dev.pid, 'SIGKILL');
  await folder.nothingRuns();
});

test('ends a server that an earlier dev left behind before it starts its own', async () => {
  const first = folder.start({ worker: 'drains' });
  const left = await folder.up(['worker']);
  // Stopped, so that it neither sees its parent go nor ends the server.
  kill(left.record.processes!['temporal']!.pid, 'SIGSTOP');
  kill(first.pid, 'SIGKILL');
  kill(left.record.processes!['temporal']!.pid, 'SIGKILL');
  await first.ended;
  expect(isRunning(left.server)).toBe(true);

  const second = folder.start({});
  await until('the other dev', () => folder.record()?.pid === second.pid);
  expect(isRunning(left.server)).toBe(false);
  expect(folder.server()!.pid).not.toBe(left.server.pid);
  expect(isRunning(folder.server()!)).toBe(true);
});

test('ends a child that an earlier dev left behind and that hangs', async () => {
  const first = folder.start({ worker: 'hangs' });
  const { record } = await folder.up(['worker']);
  kill(first.pid, 'SIGKILL');
  await until('the worker to be asked', () => folder.notes().includes('worker asked'));
  expect(isRunning(record.processes!['worker']!)).toBe(true);

  const second = folder.start({});
  await until('the other dev', () => folder.record()?.pid === second.pid);
  expect(isRunning(record.processes!['worker']!)).toBe(false);
});

test('a second dev says who has the folder', async () => {
  const first = folder.start({ worker: 'drains' });
  await folder.up(['worker']);
  const second = folder.start({});
  expect(await second.ended).toBe(1);
  expect(second.output).toMatch(new RegExp(`catchment dev on ${folder.dir} \\(pid ${first.pid}, since .*--dir`));
  expect(folder.record()?.pid).toBe(first.pid);
});

test('a server or a watcher that is killed comes back on its ports, without its database too', async () => {
  folder.start({ worker: 'drains' });
  const { record, server } = await folder.up(['worker']);

  kill(record.processes!['temporal']!.pid, 'SIGKILL');
  const second = await until('a server in place of the left one', () => other(server.pid));
  expect(isRunning(server)).toBe(false);

  kill(second.pid, 'SIGKILL');
  for (const end of ['', '-wal', '-shm']) rmSync(join(folder.dataDir, `temporal.db${end}`), { force: true });
  await until('a server in place of the dead one', () => other(second.pid));
  expect(folder.record()?.temporalAddress).toBe(record.temporalAddress);
  expect(folder.notes()).toHaveLength(1); // the worker stayed

  function other(pid: number): { pid: number } | undefined {
    const now = folder.server();
    return now !== undefined && now.pid !== pid ? now : undefined;
  }
});

test('a child that hangs is ended when the time is up, and the status says so', async () => {
  const dev = folder.start({ worker: 'hangs' }, { drain: '300ms' });
  await folder.up(['worker']);
  kill(dev.pid, 'SIGTERM');
  expect(await dev.ended).toBe(1);
  expect(folder.running()).toEqual([]);
});

test('a second Ctrl-C stops at once; one that was passed on twice is one', async () => {
  const dev = folder.start({ worker: 'hangs' }, { drain: '60s' });
  await folder.up(['worker']);
  dev.interrupt();
  await until('the worker to be asked', () => folder.notes().includes('worker asked'));
  kill(dev.pid, 'SIGINT'); // npm and npx pass it on
  await until('half a second to pass', sinceNow(600));
  expect(folder.running()).toContain(dev.pid);
  dev.interrupt();
  expect(await dev.ended).toBe(1);
  expect(folder.running()).toEqual([]);
  expect(folder.notes()).not.toContain('worker interrupted'); // the terminal reaches dev alone
});

test('a child that cannot live is started again, and what it said is shown once', async () => {
  const dev = folder.start({ worker: 'crashes', poll: 'drains' });
  await until('three starts', () => folder.notes().filter((note) => note.startsWith('worker started')).length >= 3);
  expect(dev.output.match(/worker \| it went wrong/g)).toHaveLength(1);
  expect(dev.output).toContain('worker ended with status 3; starting again in 200 ms');
  kill(dev.pid, 'SIGTERM');
  expect(await dev.ended).toBe(0);
});

test('a port that was asked for and is taken is an error', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as { port: number };
  for (const [flag, asked] of [
    ['--temporal-port', { temporalPort: port }],
    ['--metrics-port', { metricsPort: port }],
  ] as const) {
    const dev = folder.start({ worker: 'drains' }, asked);
    expect(await dev.ended).toBe(1);
    expect(dev.output).toContain(`${flag} ${port}: the port is taken`);
  }
  expect(folder.notes()).toEqual([]);
  await new Promise((resolve) => other.close(resolve));
});

test('each child has a port for its metrics, and keeps it through restarts', async () => {
  const dev = folder.start({ worker: 'drains', poll: 'drains' }, { metricsPort: 0 });
  const { record } = await folder.up(['worker', 'poll']);
  const { worker, poll } = record.metrics as { worker: string; poll: string };
  expect(worker).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
  expect(poll).not.toBe(worker);
  expect(dev.output).toContain(`Metrics of the worker: ${worker}`);
  const flag = `--metrics-port ${new URL(worker).host}`;
  const commandOf = (pid: number): string => execFileSync('ps', ['-ww', '-o', 'args=', '-p', `${pid}`]).toString();
  const { pid } = record.processes!['worker']!;
  expect(commandOf(pid)).toContain(flag);
  kill(pid, 'SIGKILL');
  const again = await until('its restart', () => {
    const now = folder.record()?.processes?.['worker']?.pid;
    return now !== pid && now;
  });
  expect(commandOf(again)).toContain(flag);
});

function sinceNow(ms: number): () => boolean {
  const from = Date.now();
  return () => Date.now() - from > ms;
}

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

import { root, type Instruction } from '../compose.js';
import { kill } from './dev-harness.js';
import { takeSteps, user } from './dockerfile-steps.js';

const base = mkdtempSync(join(tmpdir(), 'catchment-image-'));
const image = join(base, 'catchment');
const data = join(image, 'data');
const where = ['--config', join(data, 'pipeline'), '--dir', data];
const children = new Set<ChildProcess>();
let last: Map<string, Instruction>;

beforeAll(async () => {
  chmodSync(base, 0o755); // the image's user has to get there
  last = await takeSteps(base);
}, 300_000);
afterAll(async () => {
  for (const child of children) {
    const ended = once(child, 'close');
    kill(child.pid!, 'SIGKILL');
    await ended;
  }
  rmSync(base, { recursive: true });
});

/** The image's ENTRYPOINT, as its user, with nothing of the machine but the programs. */
function start(...args: string[]): ChildProcess {
  const [program, main] = JSON.parse(last.get('ENTRYPOINT')!.text) as [string, string];
  const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: data, ...temporalServer() };
  const child = spawn(program, [join(image, main), ...args], { cwd: join(image, 'pipeline'), env, ...user });
  children.add(child);
  child.once('close', () => children.delete(child));
  return child;
}

/** Under a path that the image's user may not see, it may be out of its reach. */
function temporalServer(): { TEMPORAL_CLI_PATH?: string } {
  const program = process.env['TEMPORAL_CLI_PATH'] ?? join(root, '.services', 'temporal', 'bin', 'temporal');
  const copy = join(base, 'temporal');
  if (!existsSync(copy) && existsSync(program)) copyFileSync(program, copy);
  return existsSync(copy) ? { TEMPORAL_CLI_PATH: copy } : {};
}

async function catchment(args: string[], input = ''): Promise<string> {
  const child = start(...args);
  child.stdin!.end(input);
  const [stdout, stderr, ended] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'close')]);
  const [status] = ended as [number | null];
  expect({ args, status, stderr: status === 0 ? '' : stderr }).toEqual({
    args,
    status: 0,
    stderr: '',
  });
  return stdout;
}

test('the image is what runs, without what builds, and its user owns nothing but the data', async () => {
  const modules = join(image, 'opt', 'catchment', 'node_modules');
  expect(existsSync(join(modules, 'typescript'))).toBe(false);
  expect(readdirSync(join(modules, '@temporalio', 'core-bridge', 'releases'))).toHaveLength(1);
  expect(statSync(join(image, 'etc', 'ssl', 'certs', 'ca-certificates.crt')).size).toBeGreaterThan(100_000);
  expect(last.get('USER')!.text).toBe('node');
  expect(last.get('STOPSIGNAL')!.text).toBe('SIGTERM');
  if (user.uid !== undefined) {
    expect(statSync(data)).toMatchObject(user);
    expect(statSync(join(image, 'opt', 'catchment')).uid).toBe(0);
  }
  expect(await catchment(JSON.parse(last.get('CMD')!.text) as string[])).toMatch(/^Usage: catchment /);
});

test('a pipeline runs in it: events are sent, loaded and asked for', async () => {
  await catchment(['init', join(data, 'pipeline')]);
  const dev = start('dev', ...where, '--temporal-port', '0', '--ui-port', '0', '--supervised', '--json');
  let problems = '';
  dev.stderr!.setEncoding('utf8').on('data', (more: string) => (problems += more));
  const ended = once(dev, 'close');
  const up = await Promise.race([once(createInterface(dev.stdout!), 'line'), ended.then(() => problems)]);
  expect(up).toEqual([expect.stringContaining('uiUrl')]);
  const events = ['push', 'ping'].map((event) => JSON.stringify({ event, delivery: event, payload: {} }));
  await catchment(['send', '-', ...where], events.join('\n'));
  await catchment(['status', ...where, '--wait', '--timeout', '60s']);
  const answer = await catchment(['query', 'select event from activity order by event', ...where, '--json']);
  expect(JSON.parse(answer)).toMatchObject({ rows: [{ event: 'ping' }, { event: 'push' }] });
  dev.stdin!.end();
  expect(await ended).toEqual([0, null]);
}, 120_000);

test.each(['worker', 'poll'])(
  'its %s ends by its stop signal, before it has found a Temporal',
  async (command) => {
    const child = start(command, '--config', join(image, 'opt', 'catchment', 'examples', 'compose'), '--dir', data);
    const ended = once(child, 'close');
    const waiting = new Promise<boolean>((resolve) => {
      createInterface(child.stderr!).on('line', (line) => line.includes('waiting for Temporal') && resolve(true));
    });
    expect(await Promise.race([waiting, ended])).toBe(true);
    child.kill(last.get('STOPSIGNAL')!.text as NodeJS.Signals);
    expect(await ended).toEqual([0, null]);
  },
  60_000,
);

import { mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { runCli, startCli } from './run-cli.js';

const config = `
import { defineConfig, defineTable } from 'catchment';
import { z } from 'zod';

const clicks = defineTable('clicks', {
  row: z.object({ user: z.string() }),
  rows: (event) => ({ user: event.user }),
});
export default defineConfig({ pipeline: 'app', tables: [clicks] });
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'catchment-cli-'));
  writeFileSync(join(folder, 'catchment.config.ts'), config);
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const run = (...args: string[]): ReturnType<typeof runCli> => runCli(args, folder);

test('a wrong call is status 2, a question for help is none', async () => {
  const [help, bare, unknown, missing, json] = await Promise.all([
    run('send', '--help'),
    run(),
    run('bogus'),
    run('query'),
    run('query', '--json'),
  ]);
  expect(help).toMatchObject({ status: 0, stderr: '' });
  for (const option of ['--config', '--dir', '--json', '--debug', '--ledger']) expect(help.stdout).toContain(option);
  expect(bare).toMatchObject({ status: 2, stdout: '' });
  expect(bare.stderr).toMatch(/^Usage: catchment/);
  expect(unknown).toMatchObject({ status: 2, stdout: '' });
  expect(unknown.stderr).toContain("unknown command 'bogus'");
  expect(missing).toMatchObject({ status: 2, stdout: '' });
  expect(json).toMatchObject({ status: 2, stderr: '' });
  expect(JSON.parse(json.stdout)).toEqual({
    error: { type: 'UsageError', message: "missing required argument 'sql'" },
  });
});

test('a wrong config is status 2 and a message; the stack is for --debug', async () => {
  const [plain, debug, json] = await Promise.all([
    run('status', '--config', 'none.ts'),
    run('status', '--config', 'none.ts', '--debug'),
    run('status', '--config', 'none.ts', '--json'),
  ]);
  expect(plain).toMatchObject({ status: 2, stdout: '' });
  expect(plain.stderr).toMatch(/^error: .*none\.ts: there is no such file.*\n$/);
  expect(debug.stderr).toMatch(/\n +at /);
  expect(json).toMatchObject({ status: 2, stderr: '' });
  const { error } = JSON.parse(json.stdout) as { error: { type: string; message: string } };
  expect(error).toMatchObject({ type: 'ConfigError', message: expect.stringContaining('none.ts') as string });
});

test('a backfill that cannot be meant is status 2, and a control takes no more than the table', async () => {
  const calls = [
    ['--from', '2999-01-01'],
    ['--from', '2999-01-01', '--dry-run', '--json'],
    ['--rejected', '--reason', 'x'.repeat(201)],
    ['pause', '--dry-run'],
    ['cancel', '--rejected'],
    ['resume', '--from', '2026-01-01'],
  ];
  const results = await Promise.all(calls.map((call) => run('backfill', '--table', 'clicks', ...call)));
  expect(results.map(({ status }) => status)).toEqual(calls.map(() => 2));
  const messages = results.map(({ stdout, stderr }) => stdout + stderr);
  expect(messages[0]).toContain('2999-01-01T00 is not before to');
  expect(JSON.parse(messages[1]!)).toMatchObject({ error: { type: 'ConfigError' } });
  expect(messages[2]).toContain('reason: a text of at most 200 characters');
  expect(messages.slice(3)).toEqual([
    'error: --dry-run: it does not go with pause\n',
    'error: --rejected: it does not go with cancel\n',
    'error: --from: it does not go with resume\n',
  ]);
});

test('calls that name what is not there, or what is not theirs', async () => {
  const calls = [
    ['send', 'none.ndjson'],
    ['send', '-', '--source', 'web'],
    ['send', '-', '--attribute', 'catchment-id=mine'],
    ['send', '-', '--attribute', 'no value'],
    ['send', '-', '--id', 'id'],
    ['status', '--timeout', 'soon'],
  ];
  const results = await Promise.all(calls.map((call) => run(...call)));
  expect(results.map(({ status }) => status)).toEqual(calls.map(() => 2));
  const messages = results.map(({ stderr }) => stderr);
  expect(messages[0]).toContain('none.ndjson: there is no such file');
  expect(messages[1]).toContain('has no source web; it has app');
  expect(messages[2]).toContain('catchment-');
  expect(messages[3]).toContain('key=value');
  expect(messages[4]).toContain('JSON pointer');
  expect(messages[5]).toContain('90s');
});

test('events are sent, tables made, and each command answers for people and machines', async () => {
  const input = '{"user":"a","id":1}\nnonsense\n{"user":"b","id":2}\n';
  const sent = await runCli(['send', '-', '--id', '/id', '--ledger', 'ledger', '--json'], folder, input);
  expect(sent).toMatchObject({ status: 1, stderr: '' });
  expect(JSON.parse(sent.stdout)).toEqual({
    source: 'app',
    sent: 2,
    refused: 1,
    refusals: [{ place: 'stdin:2', reason: 'the event is no JSON, so it has no id at /id' }],
    unsent: 0,
    interrupted: false,
  });
  expect(readFileSync(join(folder, 'ledger'), 'utf8').split('\n')).toHaveLength(3);

  const planned = await run('migrate', '--dry-run');
  expect(planned).toMatchObject({ status: 0, stdout: 'would create table clicks\n' });
  const before = await run('reconcile', '--json');
  expect(before.status).toBe(1);
  expect(JSON.parse(before.stdout)).toMatchObject({
    ok: false,
    tables: { clicks: { problem: expect.stringContaining('catchment migrate') as string } },
  });
  const made = await run('migrate', '--json');
  expect(JSON.parse(made.stdout)).toEqual({ applied: true, changes: [{ table: 'clicks', what: 'create table' }] });

  const [status, waited, people, check, query, wrong, proof] = await Promise.all([
    run('status', '--json'),
    run('status', '--wait', '--timeout', '100ms', '--json'),
    run('status'),
    run('check', '--json'),
    run('query', 'select 9007199254740993 as big, 1.50::decimal(4,2) as price, null as nothing', '--json'),
    run('query', 'select nonsense'),
    run('reconcile'),
  ]);
  expect(status.status).toBe(1);
  expect(JSON.parse(status.stdout)).toMatchObject({
    urls: {},
    queues: { app: { waiting: 1, leased: 0, oldestSeconds: expect.any(Number) as number }, secondary: { waiting: 0 } },
    tables: { clicks: { rows: 0, rejected: 0, freshnessSeconds: 0, objectsMissing: 0 } },
    lake: { objects: 0, events: 0 },
    unanswered: [{ part: 'temporal', error: expect.stringContaining('127.0.0.1:1') as string }],
  });
  expect(waited.status).toBe(1);
  expect((JSON.parse(waited.stdout) as { waitingFor: string[] }).waitingFor).not.toEqual([]);
  expect(people.stdout).toContain('temporal did not answer');
  expect(check.status).toBe(1);
  const { findings } = JSON.parse(check.stdout) as { findings: { part: string; level: string }[] };
  expect(findings.filter(({ level }) => level === 'error').map(({ part }) => part)).toEqual(['temporal']);
  expect(new Set(findings.map(({ part }) => part))).toEqual(
    new Set(['source app', 'secondary', 'lake', 'warehouse', 'temporal', 'tables']),
  );
  expect(query.stdout).toBe('{"rows":[{"big":"9007199254740993","price":"1.50","nothing":null}]}\n');
  expect(wrong.status).not.toBe(0);
  expect(wrong).toMatchObject({ stdout: '' });
  expect(proof.status).toBe(0);
  expect(proof.stdout).toMatch(/0 events in 0 lake objects.*\neverything stored before /);
}, 240_000);

test('a stdin that trickles is sent as it comes, and an interruption says what is durable', async () => {
  const child = startCli(['send', '-', '--ledger', 'ledger', '--json'], { cwd: folder });
  const ledger = join(folder, 'ledger');
  child.stdin!.write('{"n":1}\n{"n":2}\n{"half":');
  while (!existsSync(ledger) || readFileSync(ledger, 'utf8').split('\n').length < 3) await sleep(20);
  child.kill('SIGINT');
  const { status, stdout } = await child.result;
  expect(status).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ sent: 2, refused: 0, unsent: 0, interrupted: true });
});

test('worker and poll end when they are told to, and supervised ones when they are left alone', async () => {
  const worker = startCli(['worker', '--supervised'], { cwd: folder });
  const poller = startCli(['poll'], { cwd: folder });
  const logged = (child: typeof worker): Promise<void> =>
    new Promise((resolve) => child.stderr!.once('data', () => resolve()));
  await Promise.all([logged(worker), logged(poller)]);
  worker.stdin!.end();
  poller.kill('SIGTERM');
  poller.kill('SIGTERM');
  expect((await worker.result).status).toBe(0);
  expect((await poller.result).status).toBe(0);
}, 120_000);

// `npm start`: the example project on one command, by the same commands that a user types.
//     npm start [-- --once] [--dir DIR] [--temporal-port P] [--ui-port P]
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..');
const example = join(root, 'examples', 'github');
const catchment = join(root, 'dist', 'cli', 'main.js');
const text = { type: 'string' };
const { values: options } = parseArgs({
  options: { once: { type: 'boolean' }, dir: { ...text, default: root }, 'temporal-port': text, 'ui-port': text },
});
const where = ['--config', join(example, 'catchment.config.ts'), '--dir', options.dir];

let stopping = false;
let dev;
/** What runs beside `dev`, and has no use without it. */
let beside;
// A Ctrl-C reaches `dev` by the terminal too; one that `npm` passes on does not, so its stdin is closed as well.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    stopping = true;
    dev?.stdin.end();
  });

try {
  await build();
  process.exitCode = await main();
} catch (error) {
  if (!stopping) say(`error: ${error.message}`);
  process.exitCode = stopping ? 0 : 1;
  dev?.stdin.end();
}

async function main() {
  const ports = ['temporal-port', 'ui-port'].flatMap((name) => (options[name] ? [`--${name}`, options[name]] : []));
  dev = spawn(process.execPath, [catchment, 'dev', ...where, ...ports, '--supervised', '--json'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...installedServer() },
  });
  dev.stdin.on('error', () => undefined);
  const ended = new Promise((resolve) => dev.once('close', (status) => resolve(status ?? 1)));
  void ended.then(() => beside?.kill());
  const up = new Promise((resolve) => createInterface({ input: dev.stdout }).once('line', resolve));
  const first = await Promise.race([up, ended]);
  if (typeof first === 'number') return first; // it has said why
  const { uiUrl } = JSON.parse(first);

  await send();
  say('Waiting until they are in the tables …');
  await run(['status', ...where, '--wait', '--timeout', '120s']);
  const sql = readFileSync(join(example, 'query.sql'), 'utf8').trim();
  const answer = await run(['query', sql, ...where]);
  say(`\n${sql}\n`);
  process.stdout.write(`${answer}\n`);
  say(`Every batch, in the Temporal UI:  ${uiUrl}`);
  say(`Data (events, tables, queue):     ${join(options.dir, '.catchment')}`);
  say(`Ask for more:                     npx catchment query "SELECT …" ${where.map(quoted).join(' ')}`);
  if (options.once) dev.stdin.end();
  else say('Ctrl-C ends it.');
  return await ended;
}

/**
 * Once for each folder, which the ledger tells. Where a kill cut it short all are sent again: they carry ids of their own, so
 * that none has its rows twice.
 */
async function send() {
  const ledger = join(options.dir, '.catchment', 'example-sent.ndjson');
  const events = await output(
    spawn(process.execPath, [join(example, 'events.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  if (existsSync(ledger) && lines(readFileSync(ledger, 'utf8')) >= lines(events))
    return say('The example was sent before');
  say('Sending the example: GitHub webhook payloads, as they come');
  say(await run(['send', '-', ...where, '--id', '/delivery', '--ledger', ledger], events));
}

/** Runs a command of catchment; resolves with its stdout. */
async function run(args, input = '') {
  const child = spawn(process.execPath, [catchment, ...args], { stdio: 'pipe' });
  child.stdin.on('error', () => undefined).end(input);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (chunk) => (errors += chunk));
  return await output(child).catch((error) => {
    throw new Error(`catchment ${args[0]} ${error.message}\n${errors}`);
  });
}

async function output(child) {
  beside = child;
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  const status = await new Promise((resolve) => child.once('close', resolve));
  if (dev.exitCode !== null || dev.signalCode !== null) throw new Error('stopped, as catchment dev ended');
  if (status !== 0) throw new Error(`ended with status ${status}: ${text}`);
  return text.trimEnd();
}

function lines(text) {
  return text.trimEnd().split('\n').length;
}

async function build() {
  const script = join(root, 'scripts', 'build.mjs');
  const child = spawn(process.execPath, [script, '--if-changed'], { stdio: ['ignore', 'inherit', 'inherit'] });
  if ((await new Promise((resolve) => child.once('close', resolve))) !== 0) throw new Error('the build failed');
}

/** The server that `node scripts/services.mjs` installed for the tests serves here too. */
function installedServer() {
  const program = join(root, '.services', 'temporal', 'bin', 'temporal');
  return existsSync(program) && !process.env.TEMPORAL_CLI_PATH ? { TEMPORAL_CLI_PATH: program } : {};
}

function quoted(word) {
  return /^[\w./:-]+$/.test(word) ? word : `'${word}'`;
}

/** Over the live line of `dev`, which draws it again below. */
function say(line) {
  process.stderr.write(`${process.stderr.isTTY ? '\r\u001b[K' : ''}${line}\n`);
}

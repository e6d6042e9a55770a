/**
 * A process between `dev` and the Temporal server. The server is in a process group of its own, out of reach of a Ctrl-C, and knows
 * nothing of `dev`; this process ends it when its own stdin closes, which it does however `dev` goes. If this process is killed,
 * the next one ends the server that it left behind, by its record, before it starts another on the same database.
 *
 *     node watcher.js RECORD LOCK LOG PROGRAM ARGUMENT…
 */
import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { describeError } from '../errors.js';
import { tryLock } from '../locks.js';
import { endProcess, identify } from './processes.js';
import { endRecordedServer, recordServer } from './server-record.js';

const graceMs = 3_000;
const [record, lock, log, program, ...args] = process.argv.slice(2) as [string, string, string, string, ...string[]];

const asked = new AbortController();
const end = (): void => asked.abort();
const stopping = (): boolean => asked.signal.aborted;
process.stdin.resume().on('end', end).on('error', end);
process.on('SIGTERM', end).on('SIGINT', () => undefined);

// A watcher whose `dev` was killed a moment ago may be ending its server still: one at a time.
const about = { what: 'the Temporal server' };
let own = tryLock(lock, about);
while (own === undefined && !stopping()) {
  await sleep(50);
  own = tryLock(lock, about);
}
if (own !== undefined) await endRecordedServer(record, graceMs);
if (stopping()) process.exit(0);

// Its output goes to the file itself, not through this process, whose end must not take the server's stdout away.
const output = openSync(log, 'a');
const server = spawn(program, args, { stdio: ['ignore', output, output], detached: true });
const identity = server.pid === undefined ? undefined : identify(server.pid);
if (identity !== undefined) recordServer(record, identity);

asked.signal.addEventListener('abort', () => {
  if (identity !== undefined) void endProcess(identity, graceMs);
});
server.once('error', (error) => {
  console.error(`${program} cannot be run (${describeError(error)})`);
  process.exit(1);
});
server.once('exit', (status) => {
  own?.release();
  process.exit(stopping() ? 0 : status || 1);
});

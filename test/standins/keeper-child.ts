// Between a test and a program that it starts: ends the program when its own stdin closes, which it does however the test ends.
//     keeper-child LOG PROGRAM ARGUMENT…          the program's pid is its first line
import { spawn } from 'node:child_process';
import { openSync, writeSync } from 'node:fs';

const [log, program, ...args] = process.argv.slice(2) as [string, string, ...string[]];
const output = openSync(log, 'a');
const child = spawn(program, args, { stdio: ['ignore', output, output] });
const end = (): unknown => child.kill('SIGKILL');
child.once('error', (error) => {
  writeSync(output, `${error.message}\n`);
  process.exit(1);
});
child.once('exit', () => process.exit(0));
process.stdin.resume().once('end', end).once('error', end);
process.stdout.once('error', end);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, end);
if (child.pid !== undefined) console.log(child.pid);

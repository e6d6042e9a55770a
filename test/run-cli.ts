import { spawn, type ChildProcess } from 'node:child_process';
import { text } from 'node:stream/consumers';

import { moduleCommand } from '../src/dev/module-command.js';
import { built } from './built.js';

const program = built('cli', 'main.js');
/** What runs `catchment …`. */
export const main =
  program === undefined
    ? moduleCommand(new URL('../src/cli/main.js', import.meta.url))
    : { command: process.execPath, args: [program] };

export interface CliResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd: string;
  /** All of stdin; without it stdin is a pipe that the test ends. */
  readonly input?: string | Uint8Array;
  /** Where Temporal is, and other variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Nobody reads its stdout, unless the test does. */
  readonly unread?: true;
}

/** `catchment …` as a process of its own, with no Temporal to be found where none is named. */
export function startCli(args: readonly string[], options: CliOptions): ChildProcess & { result: Promise<CliResult> } {
  const env = { ...process.env, NODE_OPTIONS: '', TEMPORAL_ADDRESS: '127.0.0.1:1', ...options.env };
  const child = spawn(main.command, [...main.args, ...args], { cwd: options.cwd, env, stdio: 'pipe' });
  if (options.input !== undefined) child.stdin.end(options.input);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const result = Promise.all([ended, options.unread ? '' : text(child.stdout), text(child.stderr)]).then(
    ([status, stdout, stderr]) => ({
      status,
      stdout,
      stderr,
    }),
  );
  return Object.assign(child, { result });
}

export async function runCli(
  args: readonly string[],
  cwd: string,
  input: string | Uint8Array = '',
): Promise<CliResult> {
  return startCli(args, { cwd, input }).result;
}

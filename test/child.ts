import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

const jiti = join(dirname(createRequire(import.meta.url).resolve('jiti/package.json')), 'lib/jiti-cli.mjs');

/** A process of its own that runs a module of the tests', and tells lines on stdout. */
export interface Child {
  readonly pid: number;
  /** All lines so far. */
  readonly lines: readonly string[];
  /** Resolves with the first line, told already or not, that begins so. Rejects when the process ends before. */
  says(beginning: string): Promise<string>;
  /** Resolves when there are more than `count` lines. Rejects when the process ends before. */
  saysMore(count: number): Promise<void>;
  tell(line: string): void;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

const running = new Set<ChildProcess>();

/** `module`: a TypeScript file, absolute. The process should end when its stdin does. */
export function startChild(module: string, ...args: string[]): Child {
  const child = spawn(process.execPath, [jiti, module, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  running.add(child);
  const lines: string[] = [];
  const reader = createInterface(child.stdout);
  reader.on('line', (line) => lines.push(line));
  const ended = once(reader, 'close').then(() => running.delete(child));
  return {
    pid: child.pid!,
    lines,
    async says(beginning) {
      for (;;) {
        const line = lines.find((each) => each.startsWith(beginning));
        if (line !== undefined) return line;
        if (!running.has(child)) throw new Error(`the process ended, and never said ${beginning}`);
        await Promise.race([once(reader, 'line'), ended]);
      }
    },
    async saysMore(count) {
      while (lines.length <= count) {
        if (!running.has(child)) throw new Error(`the process ended after ${lines.length} lines`);
        await Promise.race([once(reader, 'line'), ended]);
      }
    },
    tell: (line) => child.stdin.write(`${line}\n`),
    async kill(signal = 'SIGKILL') {
      child.kill(signal);
      await ended;
    },
  };
}

/** To be called after each test that starts a child. */
export async function endChildren(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }),
  );
}

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ticksPerSecond = 100;

/** CPU seconds, user and system, of a process with all its threads and the children that it has reaped (proc(5)). */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond;
}

/** The most memory that the process ever had resident, in bytes. */
export function peakBytes(pid: number): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1_024;
}

/** The longest time that the event loop of a process has stood still since then, in milliseconds (stalls.ts). */
export function longestStallMs(folder: string, pid: number, since: number): number {
  const file = join(folder, String(pid));
  if (!existsSync(file)) return 0;
  const stalls = readFileSync(file, 'utf8').trimEnd().split('\n');
  const lasted = stalls.map((line) => line.split(' ').map(Number) as [at: number, ms: number]);
  return lasted.reduce((longest, [at, ms]) => (at - ms >= since ? Math.max(longest, ms) : longest), 0);
}

export interface Running {
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts a Node process and resolves when it has said `ready` in a line; one that ends by itself fails the bench. */
export async function startNode(args: readonly string[], env: NodeJS.ProcessEnv, ready: string): Promise<Running> {
  const recorder = join(import.meta.dirname, 'stalls.js');
  const child = spawn(process.execPath, ['--import', recorder, ...args], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  let stopping = false;
  const last: string[] = [];
  const fail = (): void => {
    if (stopping) return;
    console.error(`${args.join(' ')} ended:\n${last.join('\n')}`);
    process.exit(1);
  };
  child.once('exit', fail);
  await new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on('line', (line) => {
        if (last.push(line) > 20) last.shift();
        if (line.includes('"level":40') || line.includes('"level":50')) console.error(line);
        if (line.includes(ready)) resolve();
      });
    }
  });
  return {
    pid: child.pid!,
    async stop() {
      stopping = true;
      end(child);
      await ended;
    },
  };
}

/** Its stdin closes as well when the bench is killed, so that it never stays behind. */
function end(child: ChildProcess): void {
  child.stdin?.end();
  child.kill('SIGTERM');
}

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process by more than its pid, which the system gives to another once it is free. */
export interface ProcessIdentity {
  readonly pid: number;
  /** As the system counts it: clock ticks since boot on Linux, a date elsewhere. Only good for comparing. */
  readonly startTime: string;
}

/** The process that has this pid now; undefined where there is none, or only its unreaped remains. */
export function identify(pid: number): ProcessIdentity | undefined {
  const seen = process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
  if (seen === undefined || seen.state.startsWith('Z')) return undefined;
  return { pid, startTime: seen.startTime };
}

export function isRunning(recorded: ProcessIdentity): boolean {
  return identify(recorded.pid)?.startTime === recorded.startTime;
}

/** Asks a process to end, ends it by force after `graceMs` (0: at once), and resolves when it is gone. */
export async function endProcess(recorded: ProcessIdentity, graceMs: number): Promise<void> {
  const deadline = Date.now() + graceMs;
  if (graceMs > 0) signal(recorded, 'SIGTERM');
  while (isRunning(recorded)) {
    if (Date.now() >= deadline) signal(recorded, 'SIGKILL');
    await sleep(20);
  }
}

function signal(recorded: ProcessIdentity, name: NodeJS.Signals): void {
  try {
    if (isRunning(recorded)) process.kill(recorded.pid, name);
  } catch (error) {
    // It may end between the look and the signal; that it is another user's cannot happen to a process of ours.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

interface Seen {
  readonly state: string;
  readonly startTime: string;
}

function fromProc(pid: number): Seen | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The command's name is in parentheses and may hold any character: count from the last one (proc(5): 3 state, 22 starttime).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0]!, startTime: fields[19]! };
}

function fromPs(pid: number): Seen | undefined {
  try {
    const env = { ...process.env, LC_ALL: 'C' };
    const line = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { encoding: 'utf8', env }).trim();
    const space = line.indexOf(' ');
    return space < 0 ? undefined : { state: line.slice(0, space), startTime: line.slice(space).trim() };
  } catch {
    return undefined; // ps exits with 1 where there is no such process
  }
}

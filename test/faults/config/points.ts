import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where on an event's way a process may be, in the order of the way. */
export const points = [
  'received from source',
  'stored',
  'relayed',
  'before acknowledge of source',
  'acknowledged source',
  'received from secondary',
  'transforming',
  'loading',
  'committed',
  'probing',
  'probed',
  'before acknowledge of secondary',
  'acknowledged secondary',
] as const;
export type Point = (typeof points)[number];

/** A load of one table. */
export interface LoadName {
  readonly id: string;
  readonly table: string;
}

export type Passing = (point: Point, load?: LoadName) => void;

/** Who stopped, and where. */
export interface Stop {
  readonly point: Point;
  readonly pid: number;
  /** What was under way, inside a load or just after it. */
  readonly load?: LoadName;
}

/**
 * Notes each point that this process passes. At the one that is aimed at the process stops, all its threads with it, until the
 * test kills it or lets it go on: once for each aim, whichever process comes there first.
 */
export function passing(dataDir: string): Passing {
  const folder = join(dataDir, 'faults');
  mkdirSync(join(folder, 'passed'), { recursive: true });
  return (point, load) => {
    appendFileSync(join(folder, 'passed', String(process.pid)), `${point}\n`);
    const aim = join(folder, 'aim');
    if (!existsSync(aim) || readFileSync(aim, 'utf8') !== point) return;
    try {
      renameSync(aim, join(folder, `aim.${process.pid}`));
    } catch {
      return; // another process was there first
    }
    const stop: Stop = { point, pid: process.pid, ...(load !== undefined && { load }) };
    writeFileSync(join(folder, 'stopped.new'), JSON.stringify(stop));
    renameSync(join(folder, 'stopped.new'), join(folder, 'stopped'));
    process.kill(process.pid, 'SIGSTOP');
  };
}

/** Has the first process that comes to the point stop there. */
export function aimAt(dataDir: string, point: Point): void {
  const folder = join(dataDir, 'faults');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'aim.new'), point);
  renameSync(join(folder, 'aim.new'), join(folder, 'aim'));
}

/** The process that was aimed at, where it has stopped since this was last asked. */
export function takeStop(dataDir: string): Stop | undefined {
  const file = join(dataDir, 'faults', 'stopped');
  if (!existsSync(file)) return undefined;
  const stop = JSON.parse(readFileSync(file, 'utf8')) as Stop;
  renameSync(file, `${file}.taken`);
  return stop;
}

/** The last point that a process passed: where it was when it was killed. */
export function lastPassed(dataDir: string, pid: number): Point | undefined {
  const file = join(dataDir, 'faults', 'passed', String(pid));
  return existsSync(file) ? (readFileSync(file, 'utf8').trimEnd().split('\n').at(-1) as Point) : undefined;
}

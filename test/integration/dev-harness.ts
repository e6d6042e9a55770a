import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ProcessIdentity } from '../../src/dev/processes.js';
import { recordedServer } from '../../src/dev/server-record.js';
import { readDevRecord, type DevRecord } from '../../src/temporal.js';

const here = import.meta.dirname;
const root = join(here, '..', '..');

/** Waits for a condition, not for a time; what it waits for is named when it never comes. */
export async function until<Value>(what: string, look: () => Value | undefined | false): Promise<Value> {
  const deadline = Date.now() + 45_000;
  for (;;) {
    const seen = look();
    if (seen !== undefined && seen !== false) return seen;
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await sleep(20);
  }
}

export type Manner = 'drains' | 'hangs' | 'crashes';

/** A folder with a `dev` on it, run as a process of its own, with stand-ins for its children. */
export class DevFolder {
  readonly dir = mkdtempSync(join(tmpdir(), 'catchment-dev-'));
  readonly dataDir = join(this.dir, '.catchment');
  readonly notesFile = join(this.dir, 'notes');

  /** Starts `dev`; resolves at once. */
  start(
    children: Readonly<Record<string, Manner>>,
    more: { drain?: string; temporalPort?: number; metricsPort?: number } = {},
  ): Dev {
    const standins = Object.entries(children).map(([name, manner]) => ({
      name,
      command: process.execPath,
      args: [join(here, 'dev-child.mjs'), name, this.notesFile, manner],
    }));
    const options = { dataDir: this.dataDir, children: standins, temporalPort: 0, uiPort: 0, drain: '5s', ...more };
    const program = join(root, '.services', 'temporal', 'bin', 'temporal');
    const args = ['--import', 'jiti/register', join(here, 'dev-standin.ts'), JSON.stringify(options)];
    const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: '' };
    if (existsSync(program)) env['TEMPORAL_CLI_PATH'] ??= program;
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    return new Dev(child);
  }

  notes(): string[] {
    return existsSync(this.notesFile) ? readFileSync(this.notesFile, 'utf8').trimEnd().split('\n') : [];
  }

  record(): DevRecord | undefined {
    return readDevRecord(this.dataDir);
  }

  server(): ProcessIdentity | undefined {
    return recordedServer(join(this.dataDir, 'temporal.pid'));
  }

  /** Resolves once `dev` and its children run, with the server. */
  async up(children: readonly string[]): Promise<{ record: DevRecord; server: ProcessIdentity }> {
    return await until(`dev up: ${children.join()}`, () => {
      const record = this.record();
      const server = this.server();
      const started = children.every((name) => this.notes().some((note) => note.startsWith(`${name} started`)));
      return started && record !== undefined && server !== undefined && { record, server };
    });
  }

  /** Everything of this folder that runs, by its name in the command line, whoever its parent is. */
  running(): number[] {
    const lines = execFileSync('ps', ['-axww', '-o', 'pid=,stat=,args='], { encoding: 'utf8' }).split('\n');
    return lines.flatMap((line) => {
      const [pid, state] = line.trim().split(/\s+/, 2);
      return line.includes(this.dir) && !state!.startsWith('Z') ? [Number(pid)] : [];
    });
  }

  async nothingRuns(): Promise<void> {
    await until('nothing running', () => this.running().length === 0);
  }

  async close(): Promise<void> {
    for (const pid of this.running()) kill(pid, 'SIGKILL');
    await this.nothingRuns();
    this.remove();
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export class Dev {
  readonly pid: number;
  /** The exit status; null where a signal ended it. */
  readonly ended: Promise<number | null>;
  output = '';

  constructor(child: ChildProcess) {
    this.pid = child.pid!;
    this.ended = new Promise((resolve) => child.once('close', resolve));
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
  }

  /** To its process group, as a terminal does. */
  interrupt(): void {
    process.kill(-this.pid, 'SIGINT');
  }
}

export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // gone already
  }
}

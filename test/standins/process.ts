import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

import { moduleCommand } from '../../src/dev/module-command.js';
import { freePort, isFree } from '../../src/dev/ports.js';
import { endProcess, identify } from '../../src/dev/processes.js';

const keeper = moduleCommand(new URL('./keeper-child.js', import.meta.url));
const longestStartMs = 90_000;
const graceMs = 5_000;

/** What is known of a program that stands in for a service. */
export interface Program {
  readonly name: string;
  /** How many ports it takes; the service is on the first. */
  readonly ports: number;
  /** The command that runs it in this folder, which it finds as it left it. */
  readonly command: (folder: string, ports: readonly number[]) => readonly [string, ...string[]];
  /** Asks it something that it can only answer once it can do its work. */
  readonly answers: (ports: readonly number[]) => Promise<boolean>;
}

/**
 * A real program that stands in for a service, on a port of 127.0.0.1, with all it keeps in one folder. It ends with the process
 * that started it, however that ends.
 */
export class StandIn {
  readonly endpoint: string;
  /** Of each of its ports. */
  readonly endpoints: readonly string[];
  readonly #program: Program;
  readonly #folder: string;
  readonly #ports: readonly number[];
  #running: Running | undefined;

  private constructor(program: Program, folder: string, ports: readonly number[]) {
    this.endpoints = ports.map((port) => `http://127.0.0.1:${port}`);
    this.endpoint = this.endpoints[0]!;
    this.#program = program;
    this.#folder = folder;
    this.#ports = ports;
  }

  /** Resolves once it answers. Throws with the end of its log where it does not. */
  static async start(program: Program, folder: string): Promise<StandIn> {
    for (let tries = 1; ; tries += 1) {
      const ports: number[] = [];
      while (ports.length < program.ports) ports.push(await freePort(ports));
      const standIn = new StandIn(program, folder, ports);
      try {
        await standIn.#start();
        return standIn;
      } catch (error) {
        if (tries === 3 || !(await isTaken(ports))) throw error;
      }
    }
  }

  /** Of the program itself. */
  get pid(): number {
    if (this.#running === undefined) throw new Error(`${this.#program.name} does not run`);
    return this.#running.pid;
  }

  /** SIGKILL; resolves when it is gone. Does nothing where it does not run. */
  async kill(): Promise<void> {
    await this.#end((pid) => process.kill(pid, 'SIGKILL'));
  }

  /** Asks it to end, and ends it by force where it takes long. */
  async stop(): Promise<void> {
    await this.#end(async (pid) => {
      const identity = identify(pid);
      if (identity !== undefined) await endProcess(identity, graceMs);
    });
  }

  /** Again on the same ports and the same folder, after `kill`, `stop` or an end of its own. */
  async restart(): Promise<void> {
    await this.kill();
    await this.#start();
  }

  async #start(): Promise<void> {
    const log = join(this.#folder, `${this.#program.name}.log`);
    const running = await Running.start(log, this.#program.command(this.#folder, this.#ports));
    this.#running = running;
    const deadline = Date.now() + longestStartMs;
    while (!(await this.#program.answers(this.#ports).catch(() => false))) {
      const problem = running.ended ? 'ended' : Date.now() > deadline ? 'does not answer' : undefined;
      if (problem === undefined) await sleep(50);
      else {
        await this.kill();
        throw new Error(`${this.#program.name} ${problem}; the end of its log:\n${tail(log)}`);
      }
    }
    // What answered may be another's, that took the port before.
    if (running.ended) throw new Error(`${this.#program.name} ended; the end of its log:\n${tail(log)}`);
  }

  async #end(how: (pid: number) => unknown): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    if (!running.ended) await how(running.pid);
    await running.end;
    this.#running = undefined;
  }
}

/** The program, and what keeps it. */
class Running {
  readonly pid: number;
  readonly end: Promise<unknown>;
  ended = false;

  private constructor(keeping: ChildProcess, pid: number) {
    this.pid = pid;
    this.end = once(keeping, 'exit').then(() => (this.ended = true));
  }

  static async start(log: string, command: readonly string[]): Promise<Running> {
    // Out of reach of a Ctrl-C and of whatever else ends a whole group: then the stdin that closes ends it.
    const keeping = spawn(keeper.command, [...keeper.args, log, ...command], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: environment(),
      detached: true,
    });
    keeping.stdin.on('error', () => undefined);
    const lines = createInterface(keeping.stdout);
    const [line] = (await Promise.race([once(lines, 'line'), once(keeping, 'exit')])) as [string | number | null];
    if (typeof line !== 'string') throw new Error(`${command[0]!} cannot be run:\n${tail(log)}`);
    return new Running(keeping, Number(line));
  }
}

/** What programs take from variables that are meant for the client (SeaweedFS: whom it lets in) would make them others. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS|S3|WEED|NODE)_/.test(name)));
}

async function isTaken(ports: readonly number[]): Promise<boolean> {
  return (await Promise.all(ports.map(isFree))).includes(false);
}

function tail(log: string): string {
  if (!existsSync(log)) return '(nothing)';
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
  // Not where in its own code Java was.
  return lines
    .filter((line) => !/^\s+at /.test(line))
    .slice(-15)
    .join('\n');
}

/** Where `node scripts/services.mjs` put it, unless the environment names another. */
export function installedAt(variable: string, ...path: string[]): string {
  const place = process.env[variable] ?? join(import.meta.dirname, '..', '..', '.services', ...path);
  if (!existsSync(place)) throw new Error(`there is no ${place}; run: node scripts/services.mjs aws gcp`);
  return place;
}

/** Whether this is a SQS that lists its queues. */
export async function answersAsSqs(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AmazonSQS.ListQueues' },
    body: '{}',
    signal: AbortSignal.timeout(5_000),
  });
  await response.text();
  return response.ok;
}

import { execFile, execFileSync, spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';

import { isRunning } from '../../src/dev/processes.js';
import { newId } from '../../src/ids.js';
import { DevFolder, kill, until } from '../integration/dev-harness.js';
import { aimAt, lastPassed, takeStop, type Point, type Stop } from './config/points.js';
import { bodyOf } from './events.js';
import { judge, type Evidence, type Verdict } from './judge.js';

const execFileLater = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');
const usualConfig = join(import.meta.dirname, 'config', 'catchment.config.ts');
const main = join(root, 'dist', 'cli', 'main.js');
const temporalProgram = process.env['TEMPORAL_CLI_PATH'] ?? join(root, '.services', 'temporal', 'bin', 'temporal');

/** What runs in a pipeline, by the names that `dev` gives its processes; `temporal` watches over the `server`. */
type Part = 'dev' | 'worker' | 'poll' | 'server' | 'temporal';

/** What a pipeline on services needs beside its config. */
export interface Surroundings {
  /** For its processes; by it a config learns where the services are. */
  readonly env?: Readonly<Record<string, string>>;
  /** Brings all raw objects into a folder, where the judge finds them. */
  readonly fetchLake?: (folder: string) => Promise<void>;
}

/** A whole pipeline as its user runs it, `catchment dev` on a folder of its own, to be hurt. */
export class Pipeline {
  readonly folder = new DevFolder();
  readonly #config: string;
  readonly #surroundings: Surroundings;
  readonly #commands = new Set<number>();
  #devEnded: Promise<unknown> = Promise.resolve();
  output = '';

  constructor(config = usualConfig, surroundings: Surroundings = {}) {
    this.#config = config;
    this.#surroundings = surroundings;
    const built = spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs'), '--if-changed'], {
      encoding: 'utf8',
    });
    if (built.status !== 0) throw new Error(`the build failed\n${built.stderr}`);
  }

  get dataDir(): string {
    return this.folder.dataDir;
  }

  get evidence(): Evidence {
    const { dir, dataDir } = this.folder;
    return { sentFile: join(dir, 'sent.ndjson'), ledgerFile: join(dir, 'ledger.ndjson'), dataDir };
  }

  /** Resolves once Temporal answers and worker and poller were started. */
  async start(): Promise<void> {
    const ports = ['--temporal-port', '0', '--ui-port', '0'];
    const dev = this.#spawn(['dev', '--json', ...ports]);
    this.#devEnded = once(dev, 'close');
    const up = once(dev.stdout, 'data');
    for (const stream of [dev.stdout, dev.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => (this.output += chunk));
    const ended = this.#devEnded.then(() => Promise.reject(new Error(`dev ended as it started:\n${this.output}`)));
    await Promise.race([up, ended]);
  }

  /** Runs a command of Catchment; resolves with what it answered, whatever its status. */
  async run(args: readonly string[], input = ''): Promise<{ status: number | null; answer: Record<string, unknown> }> {
    const child = this.startCommand([...args, '--json']);
    child.stdin.end(input);
    const [stdout, stderr, status] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close').then(([code]) => code as number | null),
    ]);
    if (stdout === '') throw new Error(`catchment ${args.join(' ')} ended with ${status}: ${stderr}`);
    return { status, answer: JSON.parse(stdout) as Record<string, unknown> };
  }

  /** `catchment send` from its stdin, to the ledger of the pipeline. */
  startSend(): ChildProcessWithoutNullStreams {
    return this.startCommand(['send', '-', '--id', '/id', '--ledger', this.evidence.ledgerFile, '--json']);
  }

  /** The process of a part, where it runs. */
  pid(part: Part): number | undefined {
    const record = this.folder.record();
    if (part === 'dev') return record?.pid;
    if (part === 'server') return this.folder.server()?.pid;
    const identity = record?.processes?.[part];
    return identity !== undefined && isRunning(identity) ? identity.pid : undefined;
  }

  /** Waits until the part runs, with a process other than `not`. */
  async process(part: Part, not?: number): Promise<number> {
    return until(`${part} to run`, () => {
      const pid = this.pid(part);
      return pid !== not && pid;
    });
  }

  /** Waits until worker and poller have something in hand. */
  async working(): Promise<void> {
    for (const part of ['worker', 'poll'] as const) {
      await until(`${part} to work`, () => {
        const pid = this.pid(part);
        return pid !== undefined && lastPassed(this.dataDir, pid) !== undefined;
      });
    }
  }

  /** SIGKILL to `dev` and all below it, at once; resolves when nothing of it is left. */
  async killTree(): Promise<void> {
    for (const pid of this.#tree()) kill(pid, 'SIGKILL');
    await until('nothing to be left', () => this.#tree().length === 0);
    await this.#devEnded;
  }

  /** Resolves when a process has come to the point, and stands still. */
  async stopAt(point: Point): Promise<Stop> {
    aimAt(this.dataDir, point);
    const stop = await until(`a process at "${point}"`, () => takeStop(this.dataDir));
    await until(`process ${stop.pid} to stand still`, () => stateOf(stop.pid).startsWith('T'));
    return stop;
  }

  /** Ends the server and takes its database away before it can be started again; then has a process that stands still go on. */
  async loseTemporal(stopped: number): Promise<void> {
    const [dev, server] = [await this.process('dev'), await this.process('server')];
    kill(dev, 'SIGSTOP');
    kill(server, 'SIGKILL');
    await until('the server to be gone', () => this.pid('server') === undefined);
    this.removeDatabase();
    kill(stopped, 'SIGCONT');
    kill(dev, 'SIGCONT');
    await this.process('server', server);
  }

  /** Nothing has the database open. */
  removeDatabase(): void {
    const files = ['', '-wal', '-shm'].map((end) => join(this.dataDir, `temporal.db${end}`));
    for (const file of files) rmSync(file);
  }

  /** Asks Temporal itself, as soon as it answers. */
  async temporal(args: readonly string[]): Promise<unknown> {
    const address = this.folder.record()?.temporalAddress ?? '';
    for (;;) {
      try {
        const asked = [...args, '--address', address, '-o', 'json'];
        return JSON.parse((await execFileLater(temporalProgram, asked)).stdout) as unknown;
      } catch (error) {
        if (!/connection refused|context deadline/.test(String(error))) throw error;
      }
    }
  }

  /** `catchment status --wait`. Throws with what it still waited for. */
  async settle(timeout = '180s'): Promise<void> {
    const { status, answer } = await this.run(['status', '--wait', '--timeout', timeout]);
    if (status !== 0) throw new Error(`not everything was loaded: ${JSON.stringify(answer)}\n${this.output}`);
  }

  /** Sends one more event and waits until it can be queried. */
  async freshEvent(number: number): Promise<void> {
    const body = `${bodyOf({ id: newId(), number })}\n`;
    appendFileSync(this.evidence.sentFile, body);
    const { ledgerFile } = this.evidence;
    await this.run(['send', '-', '--id', '/id', '--ledger', ledgerFile], body);
    for (let arrived = false; !arrived;) {
      const { answer } = await this.run(['query', `SELECT number FROM singles WHERE number = ${number}`]);
      arrived = (answer['rows'] as unknown[]).length > 0;
    }
  }

  /** Ends everything as Ctrl-C does, and judges what is there. */
  async judge(how: Pick<Evidence, 'remade'> = {}): Promise<Verdict> {
    kill(await this.process('dev'), 'SIGTERM');
    await this.folder.nothingRuns();
    await this.#surroundings.fetchLake?.(join(this.dataDir, 'lake'));
    return judge({ ...this.evidence, ...how });
  }

  async close(): Promise<void> {
    await this.folder.close();
    await this.#devEnded;
  }

  /** All that runs here but commands of ours. */
  #tree(): number[] {
    return this.folder.running().filter((pid) => !this.#commands.has(pid));
  }

  startCommand(args: readonly string[]): ChildProcessWithoutNullStreams {
    const child = this.#spawn(args);
    if (child.pid !== undefined) this.#commands.add(child.pid);
    return child;
  }

  #spawn(args: readonly string[]): ChildProcessWithoutNullStreams {
    const where = ['--config', this.#config, '--dir', this.folder.dir];
    const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: '', ...this.#surroundings.env };
    if (existsSync(temporalProgram)) env['TEMPORAL_CLI_PATH'] = temporalProgram;
    return spawn(process.execPath, [main, ...args, ...where], { cwd: root, env, stdio: 'pipe' });
  }
}

function stateOf(pid: number): string {
  try {
    return execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return ''; // gone
  }
}

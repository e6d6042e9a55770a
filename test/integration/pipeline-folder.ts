import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';

import { newId } from '../../src/ids.js';
import { folderLake } from '../../src/providers/local/lake.js';
import { localQueue } from '../../src/providers/local/queue.js';
import type { Lake } from '../../src/providers/lake.js';
import type { Place } from '../../src/providers/provider.js';
import type { Queue } from '../../src/providers/queue.js';
import { main } from '../run-cli.js';
import { connected, startServer } from './temporal.js';
import { warehouseRows } from './warehouse-rows.js';

/** A pipeline of the embedded parts in a folder of its own: a server, and a worker and a poller as processes. */
export class PipelineFolder {
  readonly dir = mkdtempSync(join(tmpdir(), 'catchment-pipeline-'));
  readonly dataDir = join(this.dir, '.catchment');
  /** What the processes said. */
  output = '';
  readonly #processes = new Map<string, ChildProcess>();
  #server!: ChildProcess;
  #connection!: NativeConnection;
  #address = '';

  async open(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) this.write(name, text);
    const { address, server } = await startServer();
    this.#server = server;
    this.#address = address;
    this.#connection = await connected(address);
  }

  /** Opens it, makes its tables, and starts a worker and a poller. */
  async up(files: Readonly<Record<string, string>>): Promise<void> {
    await this.open(files);
    await this.run('migrate');
    this.start('worker');
    this.start('poll');
  }

  /** Of the Temporal server. */
  get address(): string {
    return this.#address;
  }

  get client(): Client {
    return new Client({ connection: this.#connection });
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.dir, name), text);
  }

  /** Runs a command to its end, and gives what it wrote; throws unless it ends well. */
  async run(...args: string[]): Promise<string> {
    const child = this.#spawn(args);
    let stdout = '';
    child.stdout?.on('data', (text: string) => (stdout += text));
    const [status] = (await once(child, 'close')) as [number | null];
    if (status !== 0) throw new Error(`catchment ${args.join(' ')} ended with status ${status}\n${this.output}`);
    return stdout;
  }

  /** What a command answers with `--json`. */
  async ask<Answer>(...args: string[]): Promise<Answer> {
    return JSON.parse(await this.run(...args, '--json')) as Answer;
  }

  start(name: 'worker' | 'poll', ...args: string[]): void {
    this.startAs(name, name, ...args);
  }

  /** Several of one kind run beside each other, each by a name of its own. */
  startAs(as: string, name: 'worker' | 'poll', ...args: string[]): void {
    this.#processes.set(as, this.#spawn([name, ...args]));
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(as: string): Promise<void> {
    const child = this.#processes.get(as);
    if (child === undefined || !this.#processes.delete(as)) return;
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
  }

  /** From now on nobody reaches Temporal. */
  async loseTemporal(): Promise<void> {
    if (this.#server.exitCode !== null || this.#server.signalCode !== null) return;
    const gone = once(this.#server, 'exit');
    this.#server.kill('SIGKILL');
    await gone;
  }

  /** Asks it to end, and waits until it has. */
  async stop(name: string): Promise<void> {
    const child = this.#processes.get(name);
    if (child === undefined || !this.#processes.delete(name)) return;
    const ended = once(child, 'close');
    child.kill('SIGTERM');
    const [status] = (await ended) as [number | null];
    if (status !== 0) throw new Error(`${name} ended with status ${status}\n${this.output}`);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#processes.keys()].map((name) => this.stop(name)));
    await this.#connection.close();
    await this.loseTemporal();
    rmSync(this.dir, { recursive: true });
  }

  get lake(): Lake {
    return folderLake().open(this.#place('lake'));
  }

  async withSource<Result>(work: (queue: Queue) => Promise<Result>): Promise<Result> {
    const queue = localQueue().open(this.#place('source-app'));
    try {
      return await work(queue);
    } finally {
      await queue.close();
    }
  }

  async send(events: readonly unknown[]): Promise<void> {
    const messages = events.map((event) => {
      return { body: Buffer.from(JSON.stringify(event)), attributes: { 'catchment-id': newId() } };
    });
    const outcomes = await this.withSource((queue) => queue.send(messages));
    expect(outcomes.every(({ status }) => status === 'done')).toBe(true);
  }

  /** By whoever has the warehouse open. */
  async query(sql: string): Promise<Record<string, unknown>[]> {
    return warehouseRows(this.dataDir, sql);
  }

  #place(part: string): Place {
    return { pipeline: 'test', dataDir: this.dataDir, part };
  }

  #spawn(args: readonly string[]): ChildProcess {
    const env = { ...process.env, NODE_OPTIONS: '', TEMPORAL_ADDRESS: this.#address };
    const config = args.includes('--config') ? [] : ['--config', this.dir];
    const where = [...config, '--dir', this.dir];
    const child = spawn(main.command, [...main.args, ...args, ...where], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    return child;
  }
}

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { choosePorts } from '../src/dev/ports.js';
import { recordedServer } from '../src/dev/server-record.js';
import { findTemporal } from '../src/dev/temporal-binary.js';
import { recordFile, startTemporal } from '../src/dev/temporal-server.js';
import { startNode, type Running } from './processes.js';

/** The repository; this file runs from `bench/.catchment/build/bench`. */
export const root = join(import.meta.dirname, '..', '..', '..', '..');
export const benchDir = join(root, 'bench');
export const benchConfig = join(benchDir, 'pipeline', 'catchment.config.ts');
export const cli = join(root, 'dist', 'cli', 'main.js');

/** A way to get events from the queue into the tables, up and ready. */
export interface Contender {
  readonly name: 'catchment' | 'bare';
  /** By name, to be measured. */
  readonly processes: Readonly<Record<string, number>>;
  /** Address of its Temporal server. */
  readonly temporal?: string;
  /** Temporal actions so far, by the server's own count. */
  actions(): Promise<number>;
  stop(): Promise<void>;
}

/** Where the processes write their CPU profiles, when they are asked to. */
export type Profile = string | undefined;

/**
 * The product as `catchment dev` runs it: the Temporal server, one worker and one poller. `stalls`: whether they are looked
 * for, which takes a percent of a core.
 */
export async function startCatchment(
  dir: string,
  profile: Profile,
  { stalls = true, config = benchConfig } = {},
): Promise<Contender> {
  const dataDir = join(dir, '.catchment');
  mkdirSync(join(dataDir, 'logs'), { recursive: true });
  const say = (line: string): void => console.error(line);
  const program = await findTemporal({ binDir: join(root, '.services', 'temporal', 'bin'), env: process.env, say });
  const wish = { flag: '', asked: 0, usual: 0 };
  const [port, uiPort, metricsPort] = (await choosePorts([wish, wish, wish], say)) as [number, number, number];
  const signal = new AbortController().signal;
  const server = await startTemporal({
    ...{ dataDir, program, port, uiPort, metricsPort, namespace: 'default', say, signal },
    onStart: () => undefined,
  });
  const env = { TEMPORAL_ADDRESS: `127.0.0.1:${port}`, ...(stalls && { BENCH_STALLS: stallsIn(dir) }) };
  const start = (command: string, ready: string): Promise<Running> => {
    const call = [cli, command, '--config', config, '--dir', dir, '--supervised'];
    return startNode([...profiling(profile), ...call], env, `"msg":"${ready}"`);
  };
  const worker = await start('worker', 'working');
  const poll = await start('poll', 'polling');
  return {
    name: 'catchment',
    temporal: env.TEMPORAL_ADDRESS,
    processes: { server: recordedServer(recordFile(dataDir))!.pid, worker: worker.pid, poll: poll.pid },
    actions: () => actionsOf(metricsPort),
    async stop() {
      await poll.stop();
      await worker.stop();
      await server.stop();
    },
  };
}

export async function startBare(dir: string, profile: Profile, { config = benchConfig } = {}): Promise<Contender> {
  const main = join(import.meta.dirname, 'bare.js');
  const bare = await startNode(
    [...profiling(profile), main, config, dir],
    { BENCH_STALLS: stallsIn(dir) },
    '"msg":"polling"',
  );
  return { name: 'bare', processes: { bare: bare.pid }, actions: () => Promise.resolve(0), stop: () => bare.stop() };
}

/** The folder where processes note their stalls. */
export function stallsIn(dir: string): string {
  const folder = join(dir, 'stalls');
  mkdirSync(folder, { recursive: true });
  return folder;
}

function profiling(profile: Profile): string[] {
  return profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
}

/** Temporal Cloud would bill these: `action` is the server's own counter, by kind. */
async function actionsOf(metricsPort: number): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  const counts = metrics.matchAll(/^action(?:_total)?\{[^}]*\} (\S+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

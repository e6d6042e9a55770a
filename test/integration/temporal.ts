import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';

import { Client } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
  type WorkflowBundleOption,
} from '@temporalio/worker';

import type { PollerActivities, WorkerActivities } from '../../src/activities/types.js';
import { newId } from '../../src/ids.js';
import { built } from '../built.js';
import { until } from './dev-harness.js';

const root = join(import.meta.dirname, '..', '..');
/** As the environment names it, or as `scripts/services.mjs` installs it. */
export const temporalProgram =
  process.env['TEMPORAL_CLI_PATH'] ?? join(root, '.services', 'temporal', 'bin', 'temporal');

/** What stands in for the activities in one test; another one that a workflow calls fails, and is tried for ever. */
export type Fakes = Partial<WorkerActivities & PollerActivities>;

/** The workflows on a Temporal server of their own, with activities that each test puts in. */
export class WorkflowHarness {
  readonly client: Client;
  get connection(): NativeConnection {
    return this.#connection;
  }
  readonly taskQueue = `test/${newId()}`;
  readonly #server: ChildProcess;
  readonly #connection: NativeConnection;
  readonly #stop = new AbortController();
  #fakes: Fakes = {};
  #ended: Promise<void> = Promise.resolve();

  private constructor(server: ChildProcess, connection: NativeConnection) {
    this.#server = server;
    this.#connection = connection;
    this.client = new Client({ connection });
  }

  /** `suggestAt`: from so many events of a history on Temporal suggests to continue as new. */
  static async start(suggestAt = 4_096): Promise<WorkflowHarness> {
    const logger = new DefaultLogger('ERROR');
    Runtime.install({
      logger,
      telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
    });
    const { address, server } = await startServer(suggestAt);
    try {
      const connection = await connected(address);
      const harness = new WorkflowHarness(server, connection);
      await harness.#run(logger);
      return harness;
    } catch (error) {
      server.kill('SIGKILL');
      throw error;
    }
  }

  /** From now on these stand in. */
  use(fakes: Fakes): void {
    this.#fakes = fakes;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
    await this.#connection.close();
    const gone = once(this.#server, 'exit');
    this.#server.kill('SIGKILL');
    await gone;
  }

  async #run(logger: DefaultLogger): Promise<void> {
    const activities = new Proxy(
      {},
      {
        ownKeys: () => activityNames,
        getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
        get: (_target, name) => (input: never) => {
          const fake = this.#fakes[name as keyof Fakes] as ((given: never) => Promise<unknown>) | undefined;
          if (fake === undefined) throw new Error(`this test has no ${String(name)}`);
          return fake(input);
        },
      },
    );
    const worker = await Worker.create({
      connection: this.#connection,
      taskQueue: this.taskQueue,
      workflowBundle: await workflowBundle(logger),
      activities,
      shutdownGraceTime: 0,
      shutdownForceTime: '2s',
    });
    const stopped = once(this.#stop.signal, 'abort');
    this.#ended = worker.runUntil(stopped).then(() => undefined);
  }
}

async function workflowBundle(logger: DefaultLogger): Promise<WorkflowBundleOption> {
  const codePath = built('workflow-bundle.js');
  if (codePath !== undefined) return { codePath };
  return bundleWorkflowCode({ workflowsPath: join(root, 'src', 'workflows', 'index.ts'), logger });
}

const activityNames: (keyof WorkerActivities | keyof PollerActivities)[] = [
  ...([
    'persist',
    'relay',
    'transform',
    'load',
    'rejectRefused',
    'loadEmpty',
    'handOver',
    'nextPage',
    'compare',
  ] as const),
  ...(['discard', 'sweep'] as const),
];

/** A Temporal server in memory; whoever starts it ends it, by SIGKILL. */
export async function startServer(suggestAt = 4_096): Promise<{ address: string; server: ChildProcess }> {
  const port = await freePort();
  const suggest = `limit.historyCount.suggestContinueAsNew=${suggestAt}`;
  const args = ['--ip', '127.0.0.1', '--port', `${port}`, '--headless', '--log-level', 'error'];
  const server = spawn(temporalProgram, ['server', 'start-dev', ...args, '--dynamic-config-value', suggest], {
    stdio: 'ignore',
  });
  return { address: `127.0.0.1:${port}`, server };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Resolves once the server answers. */
export async function connected(address: string): Promise<NativeConnection> {
  let connection: NativeConnection | undefined;
  let ended = false;
  const ask = async (): Promise<void> => {
    while (!ended && connection === undefined) {
      const made = await NativeConnection.connect({ address }).catch(() => undefined);
      const known = await made?.workflowService.describeNamespace({ namespace: 'default' }).catch(() => undefined);
      if (known !== undefined) connection = made;
      else await made?.close();
    }
  };
  const asking = ask();
  try {
    return await until('a Temporal server', () => connection);
  } finally {
    ended = true;
    await asking;
  }
}

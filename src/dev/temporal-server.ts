import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Connection, type ConnectionOptions } from '@temporalio/client';

import { Unavailable } from '../errors.js';
import { searchAttribute } from '../names.js';
import { logFile } from './log-file.js';
import { moduleCommand } from './module-command.js';
import { endRecordedServer } from './server-record.js';
import { supervise } from './supervise.js';

export interface TemporalServer {
  /** Asks it to end; resolves when it is gone. */
  stop(): Promise<void>;
  /** Ends it at once. */
  kill(): Promise<void>;
}

export interface TemporalServerOptions {
  readonly dataDir: string;
  /** The `temporal` program (`findTemporal`). */
  readonly program: string;
  readonly port: number;
  readonly uiPort: number;
  /** Where the server's own metrics are served, for Prometheus; nowhere by default. */
  readonly metricsPort?: number;
  readonly namespace: string;
  readonly say: (line: string) => void;
  readonly onStart: (watcherPid: number) => void;
  readonly signal: AbortSignal;
}

const startMs = 60_000;
/** One that is up but has not answered so often, 5 s apart, is replaced. */
const patience = { everyMs: 5_000, failures: 6 };

export function recordFile(dataDir: string): string {
  return join(dataDir, 'temporal.pid');
}

/**
 * Starts the Temporal server and keeps it running on the same ports. Resolves once it answers by gRPC. Throws `Unavailable` with the
 * end of its log where it does not within a minute, or ends three times before it ever did.
 */
export async function startTemporal(options: TemporalServerOptions): Promise<TemporalServer> {
  const { dataDir, say } = options;
  const record = recordFile(dataDir);
  const log = join(dataDir, 'logs', 'temporal.log');
  let ends = 0;
  let up = false;
  const watcher = supervise({
    name: 'temporal',
    ...watcherCommand(options, record, log),
    onStart: options.onStart,
    onLine: logFile(log),
    onEnd(how, restartInMs) {
      ends += 1;
      if (up) say(`temporal ${how}; starting again in ${restartInMs / 1_000} s (log: ${log})`);
    },
  });
  const closing = new AbortController();
  const server: TemporalServer = {
    async stop() {
      closing.abort();
      await watcher.stop();
      await endRecordedServer(record, 0);
    },
    async kill() {
      closing.abort();
      await watcher.kill();
      await endRecordedServer(record, 0);
    },
  };

  const connection = connectionTo({ address: `127.0.0.1:${options.port}` });
  const answers = (): Promise<boolean> => answering(connection, options.namespace);
  try {
    const deadline = Date.now() + startMs;
    while (!(await answers())) {
      options.signal.throwIfAborted();
      if (ends >= 3 || Date.now() > deadline) throw new Unavailable(didNotStart(log, dataDir));
      await sleep(50);
    }
  } catch (error) {
    await server.kill();
    throw error;
  }
  up = true;
  void replaceWhenHung(
    answers,
    () => {
      say('temporal does not answer; it is replaced');
      watcher.replace();
    },
    closing.signal,
  ).finally(() => void connection.close());
  return server;
}

function watcherCommand(
  options: TemporalServerOptions,
  record: string,
  log: string,
): { command: string; args: string[] } {
  const { command, args } = moduleCommand(new URL('./watcher.js', import.meta.url));
  const database = join(options.dataDir, 'temporal.db');
  const server = [
    ...[
      'server',
      'start-dev',
      '--ip',
      '127.0.0.1',
      '--port',
      String(options.port),
      '--ui-port',
      String(options.uiPort),
    ],
    ...(options.metricsPort === undefined ? [] : ['--metrics-port', String(options.metricsPort)]),
    ...['--log-level', 'error', '--namespace', options.namespace, '--db-filename', database],
    // As cheap as memory, which would grow with every workflow; no commit is lost to a kill.
    ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal'],
    ...[
      '--search-attribute',
      `${searchAttribute.pipeline}=Keyword`,
      '--search-attribute',
      `${searchAttribute.source}=Keyword`,
    ],
    ...['--search-attribute', `${searchAttribute.tables}=KeywordList`],
  ];
  return { command, args: [...args, record, join(options.dataDir, 'temporal.lock'), log, options.program, ...server] };
}

async function replaceWhenHung(
  answers: () => Promise<boolean>,
  replace: () => void,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  for (;;) {
    failures = (await answers()) ? 0 : failures + 1;
    if (signal.aborted) return;
    if (failures === patience.failures) {
      failures = 0;
      replace();
    }
    await sleep(patience.everyMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

/** Waits for a Temporal that was started by others, for as long as it takes. */
export async function waitForTemporal(
  options: ConnectionOptions,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const connection = connectionTo(options);
  try {
    for (let tries = 0; !(await answering(connection)); tries += 1) {
      if (tries === 1) say(`Waiting for Temporal at ${options.address ?? '?'} …`);
      await sleep(500, undefined, { signal });
    }
  } finally {
    await connection.close();
  }
}

function connectionTo(options: ConnectionOptions): Connection {
  // gRPC would leave up to 2 minutes between two attempts to reach a server that was down.
  const channelArgs = { 'grpc.initial_reconnect_backoff_ms': 50, 'grpc.max_reconnect_backoff_ms': 1_000 };
  return Connection.lazy({ ...options, channelArgs });
}

/** By its answer, not by its process being up; a namespace asked for must be there too. */
async function answering(connection: Connection, namespace?: string): Promise<boolean> {
  try {
    await connection.withDeadline(Date.now() + 2_000, async () => {
      await connection.workflowService.getSystemInfo({});
      if (namespace !== undefined) await connection.workflowService.describeNamespace({ namespace });
    });
    return true;
  } catch {
    return false;
  }
}

function didNotStart(log: string, dataDir: string): string {
  const last = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-3).join('\n');
  return (
    `the Temporal server does not start (${log}):\n${last}\n` +
    `If its database is damaged, remove it: rm ${join(dataDir, 'temporal.db*')} (no event is lost by that)`
  );
}

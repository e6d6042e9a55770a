import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection } from '@temporalio/worker';
import { Client } from '@temporalio/client';

import type { ProcessIdentity } from './dev/processes.js';
import { Unavailable } from './errors.js';
import { logged, type Logger } from './log.js';

/** What `dev` writes to `.catchment/dev.json`, so that other commands on the folder find its services. */
export interface DevRecord {
  readonly pid: number;
  readonly startedAt: string;
  readonly temporalAddress: string;
  readonly uiUrl?: string;
  /** Where the metrics of each process are, by its name. */
  readonly metrics?: Readonly<Record<string, string>>;
  /** What it runs, by name: `temporal` (the server's watcher), `worker`, `poll`. */
  readonly processes?: Readonly<Record<string, ProcessIdentity>>;
}

export function readDevRecord(dataDir: string): DevRecord | undefined {
  const file = join(dataDir, 'dev.json');
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as DevRecord;
  } catch {
    return undefined;
  }
}

interface TemporalAt {
  readonly address: string;
  readonly namespace: string;
}

/** Where Temporal is: `TEMPORAL_*` and the profile file first (@temporalio/envconfig), else the `dev` of this folder, else localhost:7233. */
function temporalAt(dataDir: string): TemporalAt & { connection: Record<string, unknown> } {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const address = connectionOptions.address ?? readDevRecord(dataDir)?.temporalAddress ?? '127.0.0.1:7233';
  return { address, namespace: namespace ?? 'default', connection: { ...connectionOptions, address } };
}

export interface Temporal {
  readonly connection: NativeConnection;
  readonly client: Client;
  readonly address: string;
  readonly namespace: string;
}

/** Connects through the native core, which costs less than grpc-js and can be shared with workers. Throws `Unavailable`. */
export async function connectTemporal(dataDir: string): Promise<Temporal> {
  const at = temporalAt(dataDir);
  try {
    const connection = await NativeConnection.connect(at.connection);
    const { address, namespace } = at;
    return { connection, client: new Client({ connection, namespace }), address, namespace };
  } catch {
    throw new Unavailable(`Temporal at ${at.address} does not answer; start it, or set TEMPORAL_ADDRESS`);
  }
}

/** Connects as soon as Temporal answers; undefined where the signal came first. */
export async function connectUntil(dataDir: string, signal: AbortSignal, log: Logger): Promise<Temporal | undefined> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      return await connectTemporal(dataDir);
    } catch (error) {
      if (attempt % 20 === 0) log.warn(logged(error), 'waiting for Temporal');
      await sleep(500, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}

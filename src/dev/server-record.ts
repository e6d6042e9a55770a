import { readFileSync, renameSync, writeFileSync } from 'node:fs';

import { endProcess, isRunning, type ProcessIdentity } from './processes.js';

/** Which process is the Temporal server of this folder: written by its watcher, believed only while pid and start time agree. */
export function recordServer(file: string, server: ProcessIdentity): void {
  writeFileSync(`${file}.new`, JSON.stringify(server));
  renameSync(`${file}.new`, file);
}

/** The server that was recorded, where it still runs. */
export function recordedServer(file: string): ProcessIdentity | undefined {
  try {
    const server = JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
    return isRunning(server) ? server : undefined;
  } catch {
    return undefined; // none was ever started, or a kill cut the first record short
  }
}

/** Ends the recorded server; when this resolves nobody has the database file or the ports. */
export async function endRecordedServer(file: string, graceMs: number): Promise<void> {
  const server = recordedServer(file);
  if (server !== undefined) await endProcess(server, graceMs);
}

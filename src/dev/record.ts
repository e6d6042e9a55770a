import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { readDevRecord, type DevRecord } from '../temporal.js';
import { endProcess, identify, isRunning } from './processes.js';

export interface DevRecorder {
  /** What is known from now on; other commands find the services once `temporalAddress` is. */
  add(known: Partial<DevRecord>): void;
  process(name: string, pid: number): void;
  remove(): void;
}

/** Keeps `.catchment/dev.json`; whole at every moment, for commands that read it meanwhile. */
export function devRecorder(dataDir: string): DevRecorder {
  const file = join(dataDir, 'dev.json');
  let record: Partial<DevRecord> = { pid: process.pid, startedAt: new Date().toISOString(), processes: {} };
  const add = (known: Partial<DevRecord>): void => {
    record = { ...record, ...known };
    if (record.temporalAddress === undefined) return;
    writeFileSync(`${file}.new`, JSON.stringify(record, undefined, 2));
    renameSync(`${file}.new`, file);
  };
  return {
    add,
    process(name, pid) {
      const identity = identify(pid);
      if (identity !== undefined) add({ processes: { ...record.processes, [name]: identity } });
    },
    remove: () => rmSync(file, { force: true }),
  };
}

/** Short: they were told to end when their `dev` went, and what they hold comes back by itself. */
const graceMs = 1_000;

/**
 * Ends what a killed `dev` left behind: each of them drains, one that hangs would stay for ever. Resolves when none runs.
 */
export async function endLeftBehind(dataDir: string, say: (line: string) => void): Promise<void> {
  const left = Object.values(readDevRecord(dataDir)?.processes ?? {}).filter(isRunning);
  if (left.length > 0) say('Ending what an earlier catchment dev left behind …');
  await Promise.all(left.map((process) => endProcess(process, graceMs)));
}

import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { DevRecord } from '../temporal.js';

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
    process: (name, pid) => add({ processes: { ...record.processes, [name]: pid } }),
    remove: () => rmSync(file, { force: true }),
  };
}

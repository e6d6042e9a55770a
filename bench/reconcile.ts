import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';

import { DuckDBInstance } from '@duckdb/node-api';
import { v7 } from 'uuid';

import { objectKey } from '../src/keys.js';
import type { ReconcileReport } from '../src/reconcile/report.js';
import { cli } from './contenders.js';
import { oneTableConfig } from './backfill.js';
import { cpuSeconds, peakBytes } from './processes.js';
import { holdYardstick } from './yardstick.js';

export interface ReconcileResult {
  readonly what: string;
  readonly objects: number;
  readonly events: number;
  readonly seconds: number;
  /** CPU seconds of the command per 100,000 objects, or events where it reads them. */
  readonly cpu: number;
  readonly peakMB: number;
  readonly yardstickMs: number;
}

/** A day of so many lake objects, all of them in the manifest: what is measured is the listing and the comparing. */
export async function compareDay(objects: number): Promise<ReconcileResult> {
  const dir = mkdtempSync(join(tmpdir(), 'catchment-bench-'));
  try {
    const where = ['--config', oneTableConfig, '--dir', dir];
    const migrated = spawnSync(process.execPath, [cli, 'migrate', ...where], { encoding: 'utf8' });
    if (migrated.status !== 0) throw new Error(`migrate failed: ${migrated.stderr}`);
    const lines = storeDay(join(dir, '.catchment', 'lake'), objects);
    await noteLoaded(dir, lines);
    return await compared(`a day of ${objects} objects`, where, []);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** As a person calls it; a comparison that does not hold measures nothing. */
export async function compared(
  what: string,
  where: readonly string[],
  flags: readonly string[],
): Promise<ReconcileResult> {
  const yardstick = holdYardstick();
  const [began, cpuBefore] = [performance.now(), cpuSeconds(process.pid)];
  const child = spawn(process.execPath, [cli, 'reconcile', '--json', ...flags, ...where], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let peak = 0;
  const watch = setInterval(() => {
    try {
      const now = peakBytes(child.pid!);
      if (now > peak) peak = now;
    } catch {
      // It has just ended.
    }
  }, 100);
  const ended = once(child, 'close');
  const report = JSON.parse(await text(child.stdout)) as ReconcileReport;
  await ended;
  clearInterval(watch);
  const seconds = (performance.now() - began) / 1_000;
  const yardstickMs = yardstick.take();
  if (!report.ok) throw new Error(`the comparison does not hold: ${JSON.stringify(report)}`);
  const { lake, events } = report.objects;
  const cpu = ((cpuSeconds(process.pid) - cpuBefore) * 100_000) / (flags.length > 0 ? events : lake);
  return { what, objects: lake, events, seconds, cpu, peakMB: peak / 1e6, yardstickMs };
}

/** Written as no user would, without waiting for the disk. Returns the keys and batches. */
function storeDay(lake: string, objects: number): { key: string; batch: string }[] {
  const body = gzipSync('{}\n');
  const noon = new Date().setUTCHours(0, 0, 0, 0) - 86_400_000;
  const folders = new Set<string>();
  return Array.from({ length: objects }, (_, n) => {
    const batch = v7({ msecs: noon + Math.floor((n * 86_400_000) / objects) });
    const key = objectKey({ source: 'app', batch, events: 10, hash: 'a'.repeat(32) });
    const file = join(lake, key);
    const folder = dirname(file);
    if (!folders.has(folder)) mkdirSync(folder, { recursive: true });
    folders.add(folder);
    writeFileSync(file, body);
    return { key, batch };
  });
}

async function noteLoaded(dir: string, lines: readonly { key: string; batch: string }[]): Promise<void> {
  const file = join(dir, 'lines.json');
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const instance = await DuckDBInstance.create(join(dir, '.catchment', 'warehouse.duckdb'));
  const connection = await instance.connect();
  await connection.run(`
    INSERT INTO catchment_internal.views_loads (version, batch, load, key, events, matched, rows, removed, duplicates, rejected,
      cleared, problem, loaded_at)
    SELECT 1, batch, 'load', key, 10, 0, 0, 0, 0, 0, 0, NULL, now() FROM read_json('${file}', format = 'newline_delimited')`);
  await connection.run('CHECKPOINT');
  connection.closeSync();
  instance.closeSync();
}

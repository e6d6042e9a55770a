import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { loadSettings } from '../src/config/load.js';
import { parseObjectKey } from '../src/keys.js';
import { openParts, type Parts } from '../src/open.js';
import { createSender } from '../src/send/sender.js';
import { benchConfig, stallsIn, type Contender } from './contenders.js';
import { attributes, bodies, fill } from './events.js';
import { gateFile, longestRequestMs } from './pipeline/gate.js';
import { cpuSeconds, longestStallMs, peakBytes } from './processes.js';
import { holdYardstick } from './yardstick.js';

export interface DrainResult {
  readonly events: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  readonly megabytesPerSecond: number;
  /** CPU seconds per 100,000 events, by process. */
  readonly cpu: Readonly<Record<string, number>>;
  readonly cpuInAll: number;
  readonly eventsPerCpuSecond: number;
  readonly eventsPerObject: number;
  readonly actionsPerMillion: number;
  /** Most resident memory, start-up and warm-up included, by process. */
  readonly peakMB: Readonly<Record<string, number>>;
  /** The longest time that an event loop stood still while the clock ran, by Node process. */
  readonly longestStallMs: Readonly<Record<string, number>>;
  /** What the yardstick's work cost meanwhile, in milliseconds of CPU. */
  readonly yardstickMs: number;
}

export interface Backlog {
  readonly events: number;
  readonly bytes: number;
  readonly warmUp: number;
}

/** Without one more event in the tables, a drain has failed. */
const standstillMs = 60_000;

export interface Stage {
  readonly dir: string;
  readonly parts: Parts;
  readonly open: () => void;
}

/** A folder of its own with the contender started on it; all of it is gone afterwards. */
export async function onStage<Result>(
  start: (dir: string) => Promise<Contender>,
  perform: (stage: Stage, contender: Contender) => Promise<Result>,
  config = benchConfig,
): Promise<Result> {
  const dir = mkdtempSync(join(tmpdir(), 'catchment-bench-'));
  try {
    const contender = await start(dir);
    const settings = await loadSettings({ config, dir });
    const parts = openParts(settings);
    try {
      return await perform({ dir, parts, open: () => writeFileSync(gate(dir), '') }, contender);
    } finally {
      await parts.close();
      await contender.stop();
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/**
 * Drains a backlog: warm-up events go through the whole path first, then all events are put on the queue behind the shut
 * gate; the clock runs from its opening until every event is in both tables and both queues are empty.
 */
export async function drain(
  { dir, parts, open }: Stage,
  contender: Contender,
  { events, bytes, warmUp }: Backlog,
): Promise<DrainResult> {
  const sender = createSender(parts.sources.app!, { attributes });
  const next = bodies(bytes);
  open();
  await fill(sender, warmUp, next);
  await drained(parts, warmUp);
  rmSync(gate(dir));
  await sleep(longestRequestMs + 500);
  await fill(sender, events, next);
  // What the system still has to write of the backlog is not to be written on the contender's time.
  spawnSync('sync');

  const yardstick = holdYardstick();
  const cpuBefore = everyProcess(contender, cpuSeconds);
  const actionsBefore = await contender.actions();
  const [began, beganAt] = [performance.now(), Date.now()];
  open();
  await drained(parts, warmUp + events);
  const seconds = (performance.now() - began) / 1_000;
  const cpuAfter = everyProcess(contender, cpuSeconds);
  const yardstickMs = yardstick.take();
  const actions = (await contender.actions()) - actionsBefore;
  await proveComplete(parts, warmUp + events);

  // The server is no process of Node's.
  const { server: _, ...stalls } = everyProcess(contender, (pid) => longestStallMs(stallsIn(dir), pid, beganAt));
  const per100k = 100_000 / events;
  const cpu = everyProcess(contender, (_, name) => (cpuAfter[name]! - cpuBefore[name]!) * per100k);
  const cpuInAll = Object.values(cpu).reduce((sum, one) => sum + one, 0);
  return {
    events,
    bytes,
    seconds,
    eventsPerSecond: events / seconds,
    megabytesPerSecond: (events * bytes) / seconds / 1e6,
    cpu,
    cpuInAll,
    eventsPerCpuSecond: 100_000 / cpuInAll,
    eventsPerObject: events / (await objectsOf(parts, warmUp)),
    actionsPerMillion: (actions / events) * 1_000_000,
    peakMB: everyProcess(contender, (pid) => peakBytes(pid) / 1e6),
    longestStallMs: stalls,
    yardstickMs,
  };
}

export function gate(dir: string): string {
  return join(dir, '.catchment', gateFile);
}

export function everyProcess(
  { processes }: Contender,
  measure: (pid: number, name: string) => number,
): Record<string, number> {
  return Object.fromEntries(Object.entries(processes).map(([name, pid]) => [name, measure(pid, name)]));
}

async function drained(parts: Parts, events: number): Promise<void> {
  let [most, since] = [0, performance.now()];
  for (let now = await loaded(parts); now < events; now = await loaded(parts)) {
    if (now > most) [most, since] = [now, performance.now()];
    if (performance.now() - since > standstillMs)
      throw new Error(`${now} of ${events} events are in the tables, and no more come`);
    await sleep(100);
  }
  for (const queue of [parts.sources.app!, parts.secondary]) {
    for (;;) {
      const { waiting, leased } = await queue.backlog();
      if (waiting + leased === 0) break;
      await sleep(20);
    }
  }
}

/** Events that both tables have dealt with, by the manifest. */
async function loaded(parts: Parts): Promise<number> {
  const [row] = await rowsOf(
    parts,
    'SELECT coalesce(min(events), 0) AS events FROM (SELECT sum(events) AS events FROM catchment_loads GROUP BY table_name)',
  );
  return Number(row?.['events']);
}

/** A run that lost or doubled a row measures nothing. */
async function proveComplete(parts: Parts, events: number): Promise<void> {
  const [row] = await rowsOf(
    parts,
    `SELECT (SELECT count(*) FROM views WHERE _source = 'app') AS views,
      (SELECT count(DISTINCT _event_key) FROM views WHERE _source = 'app') AS keys,
      (SELECT count(*) FROM items) AS items, (SELECT count(*) FROM catchment_rejected) AS rejected`,
  );
  const found = JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value));
  const due = { views: events, keys: events, items: 2 * Math.floor(events / 2), rejected: 0 };
  if (Object.entries(due).some(([name, count]) => Number(row?.[name]) !== count))
    throw new Error(`the tables hold ${found} where ${JSON.stringify(due)} are due`);
}

export async function rowsOf(parts: Parts, sql: string): Promise<Record<string, unknown>[]> {
  const rows = [];
  for await (const row of parts.warehouse.query(sql)) rows.push(row);
  return rows;
}

/** Objects of the run itself: the warm-up's are the first in the order of keys. */
async function objectsOf(parts: Parts, warmUp: number): Promise<number> {
  let [objects, events] = [0, 0];
  for await (const { key } of parts.lake.list('raw/app/')) {
    events += parseObjectKey(key)?.events ?? 0;
    if (events > warmUp) objects++;
  }
  return objects;
}

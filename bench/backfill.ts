import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { askBackfill } from '../src/backfill/requests.js';
import { dataId } from '../src/config/data-id.js';
import { loadSettings } from '../src/config/load.js';
import { newId } from '../src/ids.js';
import { objectKey } from '../src/keys.js';
import { taskQueue } from '../src/names.js';
import { openParts, type Parts } from '../src/open.js';
import { encodeReference, type Reference } from '../src/references.js';
import { encodeBatch } from '../src/starter/encode.js';
import { connectTemporal } from '../src/temporal.js';
import { benchConfig, benchDir, type Contender } from './contenders.js';
import { everyProcess, onStage, rowsOf } from './drain.js';
import { attributes, bodies } from './events.js';
import { latency, type LatencyResult } from './latency.js';
import { cpuSeconds, peakBytes } from './processes.js';
import { holdYardstick } from './yardstick.js';

/** How the objects of a lake get into the table: by their doorbells, or because they are missing. */
export type Way = 'bare' | 'live' | 'backfill';

export interface BackfillResult {
  readonly way: Way;
  readonly events: number;
  readonly objects: number;
  readonly loads: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  /** CPU seconds per 100,000 events, by process. */
  readonly cpu: Readonly<Record<string, number>>;
  readonly cpuInAll: number;
  readonly actionsPerMillion: number;
  readonly peakMB: Readonly<Record<string, number>>;
  readonly yardstickMs: number;
}

export const oneTableConfig = join(benchDir, 'pipeline', 'one-table.config.ts');

/** A lake as the pollers leave it, to be loaded in every way. */
export interface StoredLake {
  readonly dir: string;
  readonly events: number;
  readonly objects: readonly Omit<Reference, 'v' | 'pipeline' | 'lake'>[];
  remove(): void;
}

export async function storeLake(events: number, bytes: number, eventsPerObject: number): Promise<StoredLake> {
  const dir = mkdtempSync(join(tmpdir(), 'catchment-bench-lake-'));
  const parts = openParts(await loadSettings({ config: oneTableConfig, dir }));
  const next = bodies(bytes);
  const objects: StoredLake['objects'][number][] = [];
  for (let left = events; left > 0; left -= eventsPerObject) {
    const batch = newId();
    const deliveries = Array.from({ length: Math.min(left, eventsPerObject) }, () => {
      return { id: newId(), body: next(), attributes, sentAt: new Date() };
    });
    const made = await encodeBatch({ source: 'app', batch, dedupeMs: 259_200_000, deliveries });
    const { sha256, body } = made;
    const key = objectKey({ source: 'app', batch, events: made.events, hash: sha256.slice(0, 32) });
    await parts.lake.put(key, body);
    objects.push({ key, batch, sha256, events: made.events, bytes: body.length });
  }
  await parts.close();
  return { dir, events, objects, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** Loads all of a lake that lies there while worker and poller are up, and measures from the first word of it on. */
export async function loadLake(
  stored: StoredLake,
  way: Way,
  start: (dir: string) => Promise<Contender>,
  then: (dir: string) => Promise<void> = () => Promise.resolve(),
): Promise<BackfillResult> {
  const dir = mkdtempSync(join(tmpdir(), 'catchment-bench-'));
  try {
    cpSync(join(stored.dir, '.catchment', 'lake'), join(dir, '.catchment', 'lake'), { recursive: true });
    spawnSync('sync');
    const contender = await start(dir);
    const settings = await loadSettings({ config: oneTableConfig, dir });
    const parts = openParts(settings);
    try {
      const ask = await asker(stored, way, parts, settings, contender.temporal);
      const yardstick = holdYardstick();
      const cpuBefore = everyProcess(contender, cpuSeconds);
      const actionsBefore = await contender.actions();
      const began = performance.now();
      await ask();
      await allLoaded(parts, stored.events);
      const seconds = (performance.now() - began) / 1_000;
      const cpuAfter = everyProcess(contender, cpuSeconds);
      const yardstickMs = yardstick.take();
      const actions = (await contender.actions()) - actionsBefore;
      const [row] = await rowsOf(
        parts,
        'SELECT count(*) AS objects, count(DISTINCT load) AS loads FROM catchment_loads',
      );
      await proveOnce(parts, stored.events);
      await then(dir);
      const per100k = 100_000 / stored.events;
      const cpu = everyProcess(contender, (_, name) => (cpuAfter[name]! - cpuBefore[name]!) * per100k);
      return {
        way,
        events: stored.events,
        objects: Number(row!['objects']),
        loads: Number(row!['loads']),
        seconds,
        eventsPerSecond: stored.events / seconds,
        cpu,
        cpuInAll: Object.values(cpu).reduce((sum, one) => sum + one, 0),
        actionsPerMillion: (actions / stored.events) * 1_000_000,
        peakMB: everyProcess(contender, (pid) => peakBytes(pid) / 1e6),
        yardstickMs,
      };
    } finally {
      await parts.close();
      await contender.stop();
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What sets it going, prepared so that the clock starts with it. */
async function asker(
  stored: StoredLake,
  way: Way,
  parts: Parts,
  settings: Settings,
  temporal: string | undefined,
): Promise<() => Promise<void>> {
  const { pipeline } = settings;
  if (way === 'backfill') return backfillOf('views', settings, temporal);
  const rings = stored.objects.map((object) => {
    return { body: encodeReference({ v: 1, pipeline, lake: parts.lake.uri, ...object }), attributes: {} };
  });
  return async () => {
    await parts.secondary.send(rings);
  };
}

type Settings = Awaited<ReturnType<typeof loadSettings>>;

/** Asks for all that the lake has. */
async function backfillOf(
  table: string,
  settings: Settings,
  temporal: string | undefined,
): Promise<() => Promise<void>> {
  process.env['TEMPORAL_ADDRESS'] = temporal;
  const { client } = await connectTemporal(settings.dataDir);
  const { pipeline } = settings;
  const place = { client, pipeline, taskQueue: taskQueue(pipeline, await dataId(settings)) };
  return () => askBackfill(place, table, { from: '2000-01-01' });
}

/** The latency of live events in one table while the other is filled from a lake that is large enough to last. */
export async function latencyBeside(
  stored: StoredLake,
  start: (dir: string) => Promise<Contender>,
  load: { rate: number; seconds: number },
): Promise<LatencyResult> {
  return onStage(
    (dir) => {
      cpSync(join(stored.dir, '.catchment', 'lake'), join(dir, '.catchment', 'lake'), { recursive: true });
      return start(dir);
    },
    async (stage, contender) => {
      const ask = await backfillOf(
        'items',
        await loadSettings({ config: benchConfig, dir: stage.dir }),
        contender.temporal,
      );
      await ask();
      const result = await latency(stage, contender, load);
      const [row] = await rowsOf(
        stage.parts,
        "SELECT sum(events) AS events FROM catchment_loads WHERE table_name = 'items'",
      );
      if (Number(row!['events']) >= stored.events) console.error('the backfill ended before the latency was measured');
      return result;
    },
  );
}

async function allLoaded(parts: Parts, events: number): Promise<void> {
  for (;;) {
    const [row] = await rowsOf(parts, 'SELECT coalesce(sum(events), 0) AS events FROM catchment_loads');
    if (Number(row!['events']) >= events) return;
    await sleep(100);
  }
}

/** A run that lost or doubled a row measures nothing. */
async function proveOnce(parts: Parts, events: number): Promise<void> {
  const [row] = await rowsOf(parts, 'SELECT count(*) AS rows, count(DISTINCT _event_key) AS keys FROM views');
  if (Number(row!['rows']) !== events || Number(row!['keys']) !== events)
    throw new Error(
      `the table holds ${String(row!['rows'])} rows of ${String(row!['keys'])} events; ${events} are due`,
    );
}

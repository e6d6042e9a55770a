import { renderTable } from '../src/cli/table.js';
import type { BackfillResult } from './backfill.js';
import type { DrainResult } from './drain.js';
import type { IngestResult } from './ingest.js';
import type { ReconcileResult } from './reconcile.js';
import type { IdleResult } from './idle.js';
import type { LatencyResult } from './latency.js';

export async function printDrains(
  what: string,
  catchment: readonly DrainResult[],
  bare: readonly DrainResult[],
): Promise<void> {
  console.log(`\nDraining ${what}:`);
  const [of, ofBare] = [median(catchment), median(bare)];
  const rows = [
    ...(of === undefined ? [] : [{ '': 'catchment', ...shown(of) }]),
    ...(ofBare === undefined ? [] : [{ '': 'bare loop', ...shown(ofBare) }]),
  ];
  if (rows.length > 0) console.log(await renderTable(rows));
  if (of === undefined || ofBare === undefined) return;
  const wall = of.eventsPerSecond / ofBare.eventsPerSecond;
  const cpu = of.eventsPerCpuSecond / ofBare.eventsPerCpuSecond;
  console.log(`of the bare loop: ${wall.toFixed(2)} in events/s, ${cpu.toFixed(2)} in events per CPU-second`);
}

export function printIdle({ seconds, cores, yardstickMs }: IdleResult): void {
  const all = Object.values(cores).reduce((sum, one) => sum + one, 0);
  console.log(
    `\nIdle for ${seconds} s: ${(100 * all).toFixed(1)} % of a core (${list(cores, 3)}; yardstick ${yardstickMs.toFixed(2)} ms)`,
  );
}

export async function printLatencies(latencies: readonly LatencyResult[], how = 'nothing beside'): Promise<void> {
  if (latencies.length === 0) return;
  console.log(`\nFrom send to a query, ${how}:`);
  const rows = latencies.map(({ eventsPerSecond, events, p50, p99, max, cores, yardstickMs }) => ({
    'events/s': eventsPerSecond,
    events,
    'p50 ms': Math.round(p50),
    'p99 ms': Math.round(p99),
    'max ms': Math.round(max),
    cores: list(cores, 2),
    'yardstick ms': Number(yardstickMs.toFixed(2)),
  }));
  console.log(await renderTable(rows));
}

export async function printBackfills(results: readonly BackfillResult[]): Promise<void> {
  console.log('\nFrom the lake into one table:');
  const rows = results.map((run) => ({
    way: run.way,
    events: run.events,
    'events/s': Math.round(run.eventsPerSecond),
    'CPU-s per 100,000': Number(run.cpuInAll.toFixed(2)),
    'by process': list(run.cpu, 2),
    'objects/load': Number((run.objects / run.loads).toFixed(1)),
    'actions/million': Math.round(run.actionsPerMillion),
    'peak MB': list(run.peakMB, 0),
    'yardstick ms': Number(run.yardstickMs.toFixed(2)),
  }));
  console.log(await renderTable(rows));
}

export async function printComparisons(results: readonly ReconcileResult[]): Promise<void> {
  console.log('\nComparing lake, manifest and table:');
  const rows = results.map((run) => ({
    what: run.what,
    seconds: Number(run.seconds.toFixed(1)),
    'objects/s': Math.round(run.objects / run.seconds),
    'events/s': Math.round(run.events / run.seconds),
    'CPU-s per 100,000': Number(run.cpu.toFixed(2)),
    'peak MB': Math.round(run.peakMB),
    'yardstick ms': Number(run.yardstickMs.toFixed(2)),
  }));
  console.log(await renderTable(rows));
}

export async function printIngests(results: readonly IngestResult[]): Promise<void> {
  console.log('\nFrom the source queue into the lake:');
  const rows = results.map((run) => ({
    '': run.name,
    sent: run.sent,
    events: run.events,
    'events/s': Math.round(run.eventsPerSecond),
    'CPU-s per 100,000': Number(run.cpuOfClient.toFixed(2)),
    'by process': list(run.cpu, 2),
    'events/object': Math.round(run.eventsPerObject),
    'peak MB': list(run.peakMB, 0),
    'yardstick ms': Number(run.yardstickMs.toFixed(2)),
  }));
  console.log(await renderTable(rows));
}

/** The run in the middle by CPU, which a busy machine distorts least; of an even number the dearer one. */
function median(runs: readonly DrainResult[]): DrainResult | undefined {
  return runs.toSorted((a, b) => a.cpuInAll - b.cpuInAll)[Math.floor(runs.length / 2)];
}

function shown(run: DrainResult): Record<string, unknown> {
  return {
    events: run.events,
    'events/s': Math.round(run.eventsPerSecond),
    'MB/s': Number(run.megabytesPerSecond.toFixed(1)),
    'CPU-s per 100,000': Number(run.cpuInAll.toFixed(2)),
    'by process': list(run.cpu, 2),
    'events/object': Math.round(run.eventsPerObject),
    'actions/million': Math.round(run.actionsPerMillion),
    'peak MB': list(run.peakMB, 0),
    'longest stall ms': list(run.longestStallMs, 0),
    'yardstick ms': Number(run.yardstickMs.toFixed(2)),
  };
}

function list(values: Readonly<Record<string, number>>, digits: number): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${value.toFixed(digits)}`)
    .join(', ');
}

/**
 * `npm run bench`: what Catchment does a second and what it costs, beside the bare loop (bench/README.md).
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';

import { Command, Option } from 'commander';

import { latencyBeside, loadLake, oneTableConfig, storeLake, type BackfillResult } from './backfill.js';
import { benchDir, startBare, startCatchment, type Contender } from './contenders.js';
import { drain, onStage, type Backlog, type DrainResult } from './drain.js';
import { fillTable } from './growth.js';
import { idle, type IdleResult } from './idle.js';
import { latency, type LatencyResult } from './latency.js';
import { compareDay, compared, type ReconcileResult } from './reconcile.js';
import { cloudConfig, ingest, ingestLoads, type Cloud, type IngestResult } from './ingest.js';
import { printBackfills, printComparisons, printDrains, printIdle, printIngests, printLatencies } from './report.js';
import { startServices } from './services.js';

interface Options {
  readonly shapes: string;
  readonly warmUp: string;
  readonly rounds: string;
  readonly rates: string;
  readonly seconds: string;
  readonly rows: string;
  readonly stored: string;
  readonly objects: string;
  readonly only?: readonly string[];
  readonly without?: 'bare' | 'catchment';
  readonly profile?: Cloud;
  readonly cpuProfile?: string;
  readonly name: string;
}

/** Events of one size, drained by both, in turns. */
interface Drains {
  readonly what: string;
  readonly catchment: readonly DrainResult[];
  readonly bare: readonly DrainResult[];
}

const parts = ['drains', 'memory', 'latency', 'idle', 'growth', 'backfill', 'reconcile'] as const;
const options = new Command('bench')
  .option('--shapes <list>', 'drains: events x bytes of a body', '1000000x1024,2000000x100,20000x20480')
  .option('--warm-up <n>', 'events before the clock starts, of 1 KB; fewer of larger ones', '40000')
  .option('--rounds <n>', 'drains of each; they take turns, and the median counts', '1')
  .option('--rates <list>', 'events/s at which the latency is measured', '10,500')
  .option('--seconds <n>', 'how long at each rate, and how long nothing comes', '30')
  .option('--stored <events>x<per object>', 'backfill: what lies in the lake, of 1 KB', '1000000x12500')
  .option('--objects <n>', 'reconcile: of a day', '100000')
  .option('--rows <list>', 'growth: rows in the table before 200,000 events come', '10000,10000000')
  .addOption(new Option('--only <parts...>', 'some of it').choices(parts))
  .addOption(new Option('--without <contender>', 'drains of one alone').choices(['bare', 'catchment']))
  .addOption(
    new Option('--profile <cloud>', 'on the stand-ins of a cloud: drains from queue to lake').choices(['aws', 'gcp']),
  )
  .option('--cpu-profile <folder>', 'write CPU profiles there; the figures are then too high')
  .option('--name <name>', 'the result goes to bench/results/<name>.json', 'latest')
  .parse()
  .opts<Options>();

/** Of the embedded profile, where no other was asked for. */
const does = (part: (typeof parts)[number]): boolean =>
  options.profile === undefined && (options.only?.includes(part) ?? true);
const profile = options.cpuProfile === undefined ? undefined : resolve(options.cpuProfile);
const rounds = Number(options.rounds);

const drains: Drains[] = [];
if (does('drains')) {
  for (const shape of options.shapes.split(',')) {
    const [events, bytes] = shape.split('x').map(Number) as [number, number];
    drains.push(await drainBoth(`${bytes} B`, backlog(events, bytes)));
  }
}
// A batch takes 48 MB of them at most: so large a backlog shows whether anything grows with it.
if (does('memory')) drains.push(await drainBoth('2 GB of 1 MB', backlog(2_000, 1_000_000), 'catchment only'));
if (does('growth')) {
  for (const rows of options.rows.split(',').map(Number)) {
    const what = `1024 B into a table of ${rows} rows`;
    drains.push(await drainBoth(what, backlog(200_000, 1_024), 'catchment only', (dir) => fillTable(dir, rows)));
  }
}

const latencies: LatencyResult[] = [];
if (does('latency')) {
  for (const rate of options.rates.split(',').map(Number)) {
    const load = { rate, seconds: Number(options.seconds) };
    latencies.push(
      await onStage(
        (dir) => startCatchment(dir, profile),
        (...on) => latency(...on, load),
      ),
    );
  }
  await printLatencies(latencies);
}

let idling: IdleResult | undefined;
if (does('idle')) {
  idling = await onStage(
    (dir) => startCatchment(dir, profile, { stalls: false }),
    (...on) => idle(...on, Number(options.seconds)),
  );
  printIdle(idling);
}

const backfills: BackfillResult[] = [];
const besides: LatencyResult[] = [];
if (does('backfill')) {
  const [events, perObject] = options.stored.split('x').map(Number) as [number, number];
  const stored = await storeLake(events, 1_024, perObject);
  const config = oneTableConfig;
  for (let round = 0; round < rounds; round++) {
    backfills.push(await loadLake(stored, 'bare', (dir) => startBare(dir, profile, { config })));
    for (const way of ['live', 'backfill'] as const)
      backfills.push(await loadLake(stored, way, (dir) => startCatchment(dir, profile, { config })));
  }
  await printBackfills(backfills);
  const load = { rate: 500, seconds: Number(options.seconds) };
  besides.push(await latencyBeside(stored, (dir) => startCatchment(dir, profile), load));
  stored.remove();
  await printLatencies(besides, 'beside a backfill of another table');
}

const comparisons: ReconcileResult[] = [];
if (does('reconcile')) {
  comparisons.push(await compareDay(Number(options.objects)));
  const stored = await storeLake(200_000, 1_024, 12_500);
  const start = (dir: string): Promise<Contender> => startCatchment(dir, profile, { config: oneTableConfig });
  await loadLake(stored, 'backfill', start, async (dir) => {
    const where = ['--config', oneTableConfig, '--dir', dir];
    comparisons.push(await compared(`${stored.events} events of 1 KB, --deep`, where, ['--deep']));
  });
  stored.remove();
  await printComparisons(comparisons);
}

const ingests = options.profile === undefined ? [] : await ingestBoth(options.profile);

const file = join(benchDir, 'results', `${options.name}.json`);
mkdirSync(join(benchDir, 'results'), { recursive: true });
const machine = { cores: cpus().length, cpu: cpus()[0]?.model, node: process.version };
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: benchDir, encoding: 'utf8' }).trim();
const call = process.argv.slice(2);
const result = {
  at: new Date().toISOString(),
  commit,
  call,
  machine,
  drains,
  latencies,
  idle: idling,
  backfills,
  besides,
  comparisons,
  ingests,
};
writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
process.exit();

/** Packed and one a message, by both in turn, on the stand-ins of a cloud. */
async function ingestBoth(cloud: Cloud): Promise<IngestResult[]> {
  const services = await startServices(cloud);
  const config = cloudConfig(cloud);
  const results: IngestResult[] = [];
  try {
    for (const sent of ['packed', 'one a message'] as const) {
      for (let round = 0; round < rounds; round++) {
        for (const start of [startBare, startCatchment])
          results.push(
            await ingest((dir) => start(dir, profile, { config }), cloud, services.processes, ingestLoads[sent]),
          );
      }
    }
  } finally {
    await services.stop();
  }
  await printIngests(results);
  return results;
}

function backlog(events: number, bytes: number): Backlog {
  const warmUp = Math.ceil(Math.min(Number(options.warmUp), (Number(options.warmUp) * 1_024) / bytes));
  return { events, bytes, warmUp };
}

async function drainBoth(
  what: string,
  load: Backlog,
  who: 'both' | 'catchment only' = 'both',
  prepare: (dir: string) => Promise<void> = () => Promise.resolve(),
): Promise<Drains> {
  const catchment: DrainResult[] = [];
  const bare: DrainResult[] = [];
  const run = async (start: typeof startBare): Promise<DrainResult> =>
    onStage(
      async (dir) => {
        await prepare(dir);
        return start(dir, profile);
      },
      (...on) => drain(...on, load),
    );
  for (let round = 0; round < rounds; round++) {
    if (who === 'both' && options.without !== 'bare') bare.push(await run(startBare));
    if (options.without !== 'catchment') catchment.push(await run(startCatchment));
  }
  await printDrains(what, catchment, bare);
  return { what, catchment, bare };
}

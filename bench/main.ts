/**
 * `npm run bench`: what Catchment does a second and what it costs, beside the bare loop (bench/README.md).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';

import { Command } from 'commander';

import { benchDir, startBare, startCatchment } from './contenders.js';
import { drain, onStage, type DrainResult } from './drain.js';
import { latency, type LatencyResult } from './latency.js';
import { printDrains, printLatencies } from './report.js';

interface Options {
  readonly events: string;
  readonly bytes: string;
  readonly warmUp: string;
  readonly rounds: string;
  readonly rates: string;
  readonly seconds: string;
  readonly only?: string;
  readonly profile?: string;
  readonly name: string;
}

const options = new Command('bench')
  .option('--events <n>', 'events of a drain', '200000')
  .option('--bytes <n>', 'size of a body', '1024')
  .option('--warm-up <n>', 'events before the clock starts', '40000')
  .option('--rounds <n>', 'drains of each; they take turns, and the median counts', '1')
  .option('--rates <list>', 'events/s at which the latency is measured', '10')
  .option('--seconds <n>', 'how long at each rate', '30')
  .option('--only <part>', 'catchment, bare or latency')
  .option('--profile <folder>', 'write CPU profiles there; the figures are then too high')
  .option('--name <name>', 'the result goes to bench/results/<name>.json', 'latest')
  .parse()
  .opts<Options>();

const does = (part: string): boolean => options.only === undefined || options.only === part;
const profile = options.profile === undefined ? undefined : resolve(options.profile);
const backlog = { events: Number(options.events), bytes: Number(options.bytes), warmUp: Number(options.warmUp) };

const catchment: DrainResult[] = [];
const bare: DrainResult[] = [];
const latencies: LatencyResult[] = [];
for (let round = 0; round < Number(options.rounds); round++) {
  if (does('bare'))
    bare.push(
      await onStage(
        (dir) => startBare(dir, profile),
        (...on) => drain(...on, backlog),
      ),
    );
  if (does('catchment')) {
    catchment.push(
      await onStage(
        (dir) => startCatchment(dir, profile),
        (...on) => drain(...on, backlog),
      ),
    );
  }
}
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
}

await printDrains(catchment, bare);
await printLatencies(latencies);
const file = join(benchDir, 'results', `${options.name}.json`);
mkdirSync(join(benchDir, 'results'), { recursive: true });
const machine = { cores: cpus().length, cpu: cpus()[0]?.model, node: process.version };
const call = process.argv.slice(2);
writeFileSync(
  file,
  `${JSON.stringify({ at: new Date().toISOString(), call, machine, catchment, bare, latencies }, null, 2)}\n`,
);
process.exit();

import { setTimeout as sleep } from 'node:timers/promises';

import type { Contender } from './contenders.js';
import { everyProcess, type Stage } from './drain.js';
import { cpuSeconds } from './processes.js';
import { holdYardstick } from './yardstick.js';

export interface IdleResult {
  readonly seconds: number;
  /** Cores in use while no event comes, by process. */
  readonly cores: Readonly<Record<string, number>>;
  readonly yardstickMs: number;
}

/** After start-up, and what it leaves to do: Temporal's server is busy with itself for a while. */
const settleMs = 20_000;

/** What it costs that nothing happens. */
export async function idle({ open }: Stage, contender: Contender, seconds: number): Promise<IdleResult> {
  open();
  await sleep(settleMs);
  const yardstick = holdYardstick();
  const before = everyProcess(contender, cpuSeconds);
  await sleep(seconds * 1_000);
  const cores = everyProcess(contender, (pid, name) => (cpuSeconds(pid) - before[name]!) / seconds);
  return { seconds, cores, yardstickMs: yardstick.take() };
}

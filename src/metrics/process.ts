import { performance } from 'node:perf_hooks';

import { aborted } from '../signals.js';
import type { Figures } from './figures.js';

const everyMs = 1_000;
/** Stalls are seen to so many milliseconds: something must be due within one for it to be seen at all. */
const resolution = 20;

/** What this process costs, each second until `stop`. */
export function watchProcess(figures: Figures, stop: AbortSignal): void {
  // Node's own monitor forgets, when it is reset, since when it waits: a stall just then would never be seen.
  let longest = 0;
  let seen = performance.now();
  const ticks = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - seen - resolution);
    seen = now;
  }, resolution).unref();

  let loop = performance.eventLoopUtilization();
  let cpuSeconds = 0;
  const reports = setInterval(() => {
    figures.eventLoopLag.record(longest / 1_000);
    longest = 0;
    figures.eventLoopBusy.set(performance.eventLoopUtilization(loop).utilization);
    loop = performance.eventLoopUtilization();
    const { user, system } = process.cpuUsage();
    // Counters are whole numbers: what is over counts with the next second.
    const more = Math.floor((user + system) / 1e6) - cpuSeconds;
    figures.cpu.add(more);
    cpuSeconds += more;
    figures.memory.set(process.memoryUsage.rss());
  }, everyMs).unref();

  void aborted(stop).then(() => [ticks, reports].forEach(clearInterval));
}

import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

import { aborted } from '../signals.js';
import type { Figures } from './figures.js';

const everyMs = 1_000;
/** Stalls are seen to so many milliseconds: a timer must be due within one for it to be seen at all. */
const resolution = 20;

/** What this process costs, each second until `stop`. */
export function watchProcess(figures: Figures, stop: AbortSignal): void {
  const delays = monitorEventLoopDelay({ resolution });
  delays.enable();
  let loop = performance.eventLoopUtilization();
  let cpuSeconds = 0;
  const timer = setInterval(() => {
    // The time between two timers, so that a loop that never stalls has their interval too.
    figures.eventLoopLag.record(Math.max(0, delays.max / 1e6 - resolution) / 1_000);
    delays.reset();
    figures.eventLoopBusy.set(performance.eventLoopUtilization(loop).utilization);
    loop = performance.eventLoopUtilization();
    const { user, system } = process.cpuUsage();
    // Counters are whole numbers: what is over counts with the next second.
    const more = Math.floor((user + system) / 1e6) - cpuSeconds;
    figures.cpu.add(more);
    cpuSeconds += more;
    figures.memory.set(process.memoryUsage.rss());
  }, everyMs).unref();
  void aborted(stop).then(() => {
    clearInterval(timer);
    delays.disable();
  });
}

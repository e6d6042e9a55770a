import { hash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';

import { bodies } from './events.js';

const everyMs = 500;
const next = bodies(1_024);
const lines = Buffer.from(Array.from({ length: 100 }, () => Buffer.from(next()).toString()).join('\n'));

/** A small share of what Catchment does all day, always the same. */
function work(): void {
  for (const line of gunzipSync(gzipSync(lines, { level: 1 }))
    .toString()
    .split('\n')) {
    hash('sha256', JSON.stringify(JSON.parse(line)));
  }
}

/** In milliseconds of CPU. */
function measure(): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/**
 * What a fixed piece of work costs on this machine at the moment. A shared machine is twice as fast in one minute as in the
 * next: CPU seconds of two runs can be compared as far as their yardsticks agree.
 */
export function holdYardstick(): { take(): number } {
  for (let warm = 0; warm < 20; warm++) work();
  const samples: number[] = [];
  const timer = setInterval(() => samples.push(measure()), everyMs);
  return {
    /** The mean since it was held, in milliseconds. */
    take() {
      clearInterval(timer);
      if (samples.length === 0) samples.push(measure());
      return samples.reduce((sum, one) => sum + one, 0) / samples.length;
    },
  };
}

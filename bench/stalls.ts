/**
 * Imported into each Node process that the bench starts: notes how long its event loop stood still, a line each in
 * `$BENCH_STALLS/<pid>`: when it went on (Unix milliseconds) and after how many milliseconds.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

const tickMs = 10;
/** Shorter ones say more of the machine than of the process. */
const leastMs = 40;

const folder = process.env.BENCH_STALLS;
if (folder !== undefined && isMainThread) {
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    const stalledMs = now - last - tickMs;
    last = now;
    if (stalledMs >= leastMs)
      appendFileSync(join(folder, String(process.pid)), `${Date.now()} ${Math.round(stalledMs)}\n`);
  }, tickMs).unref();
}

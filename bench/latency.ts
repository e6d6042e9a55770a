import { setTimeout as sleep } from 'node:timers/promises';

import { createSender } from '../src/send/sender.js';
import type { Contender } from './contenders.js';
import { everyProcess, rowsOf, type Stage } from './drain.js';
import { attributes, bodies } from './events.js';
import { cpuSeconds } from './processes.js';
import { holdYardstick } from './yardstick.js';

export interface LatencyResult {
  readonly eventsPerSecond: number;
  readonly events: number;
  /** Milliseconds from the moment `send` returned to the moment a query had answered with the event's row. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Cores in use, by process; `bench` sends and asks, and the worker's include answering it every 20 ms. */
  readonly cores: Readonly<Record<string, number>>;
  readonly yardstickMs: number;
}

const lookEveryMs = 20;
const latest =
  'SELECT _event_id AS id FROM views WHERE _loaded_at > (SELECT max(_loaded_at) FROM views) - INTERVAL 1 SECOND';

/** Sends events one by one at a steady rate, and looks for their rows. */
export async function latency(
  { parts, open }: Stage,
  contender: Contender,
  { rate, seconds }: { rate: number; seconds: number },
): Promise<LatencyResult> {
  open();
  const sender = createSender(parts.sources.app!, { attributes });
  const next = bodies(1_024, rate);
  const sentAt = new Map<string, number>();
  const waits: number[] = [];
  const all = { ...contender, processes: { ...contender.processes, bench: process.pid } };
  let sending = true;

  const look = async (): Promise<void> => {
    let counted: unknown = 0;
    while (sending || sentAt.size > 0) {
      // The count costs the warehouse next to nothing; rows are asked for when there are new ones, and only the latest.
      const [row] = await rowsOf(parts, 'SELECT count(*) AS rows FROM views');
      if (row!['rows'] !== counted) {
        counted = row!['rows'];
        const found = await rowsOf(parts, latest);
        const now = performance.now();
        for (const id of found.map((one) => one['id'] as string)) {
          const at = sentAt.get(id);
          if (at === undefined) continue;
          sentAt.delete(id);
          waits.push(now - at);
        }
      }
      await sleep(lookEveryMs);
    }
  };

  // The first events find cold code: they are sent, but not measured.
  for (let warm = 0; warm < 20; warm++) {
    await sender.send({ body: next() });
    await sleep(100);
  }
  await sleep(2_000);
  const yardstick = holdYardstick();
  const before = everyProcess(all, cpuSeconds);
  const began = performance.now();
  const looking = look();
  const sends: Promise<void>[] = [];
  const events = rate * seconds;
  for (let sent = 0; sent < events; sent++) {
    await sleep(Math.max(0, began + (sent * 1_000) / rate - performance.now()));
    sends.push(sender.send({ body: next() }).then((id) => void sentAt.set(id, performance.now())));
  }
  await Promise.all(sends);
  sending = false;
  const lasted = (performance.now() - began) / 1_000;
  const cores = everyProcess(all, (pid, name) => (cpuSeconds(pid) - before[name]!) / lasted);
  const yardstickMs = yardstick.take();
  await Promise.race([
    looking,
    sleep(30_000).then(() => Promise.reject(new Error(`${sentAt.size} events do not show`))),
  ]);

  waits.sort((a, b) => a - b);
  const quantile = (share: number): number => waits[Math.min(waits.length - 1, Math.floor(waits.length * share))]!;
  return {
    eventsPerSecond: rate,
    events: waits.length,
    p50: quantile(0.5),
    p99: quantile(0.99),
    max: quantile(1),
    cores,
    yardstickMs,
  };
}

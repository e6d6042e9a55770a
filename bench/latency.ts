import { setTimeout as sleep } from 'node:timers/promises';

import { createSender } from '../src/send/sender.js';
import type { Contender } from './contenders.js';
import type { Stage } from './drain.js';
import { attributes, bodies } from './events.js';
import { cpuSeconds } from './processes.js';

export interface LatencyResult {
  readonly eventsPerSecond: number;
  readonly events: number;
  /** Milliseconds from the moment `send` returned to the moment a query had answered with the event's row. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Cores in use, by process; the worker's include answering the bench's own query every 20 ms. */
  readonly cores: Readonly<Record<string, number>>;
}

const lookEveryMs = 20;

/** Sends events one by one at a steady rate, and looks for their rows. */
export async function latency(
  { parts, open }: Stage,
  contender: Contender,
  { rate, seconds }: { rate: number; seconds: number },
): Promise<LatencyResult> {
  open();
  const sender = createSender(parts.sources.app!, { attributes, lingerMs: 0 });
  const next = bodies(1_024, rate);
  const sentAt = new Map<string, number>();
  const waits: number[] = [];
  const cpu = (): Record<string, number> =>
    Object.fromEntries(Object.entries(contender.processes).map(([name, pid]) => [name, cpuSeconds(pid)]));
  let sending = true;

  const look = async (): Promise<void> => {
    const since = new Date(Date.now() - 1_000).toISOString();
    const seen = new Set<string>();
    while (sending || sentAt.size > 0) {
      const rows = parts.warehouse.query(
        `SELECT _event_id AS id FROM views WHERE _sent_at >= TIMESTAMPTZ '${since}' AND _loaded_at > now() - INTERVAL 2 SECONDS`,
      );
      const found: string[] = [];
      for await (const { id } of rows) found.push(id as string);
      const now = performance.now();
      for (const id of found) {
        const at = sentAt.get(id);
        if (at === undefined || seen.has(id)) continue;
        seen.add(id);
        sentAt.delete(id);
        waits.push(now - at);
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
  const before = cpu();
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
  const after = cpu();
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
    cores: Object.fromEntries(Object.keys(before).map((name) => [name, (after[name]! - before[name]!) / lasted])),
  };
}

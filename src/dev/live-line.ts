import { setTimeout as sleep } from 'node:timers/promises';

import { describeDuration } from '../durations.js';
import type { Screen } from './screen.js';

/** The numbers of the live line; what could not be read is left out. */
export interface Progress {
  /** Events or messages on the queues, not yet in the lake or the tables. */
  readonly waiting?: number;
  /** Events in the lake. */
  readonly inLake?: number;
  /** Rows in the tables. */
  readonly loaded?: number;
  readonly rejected?: number;
  /** How old what cannot be queried yet is, at most. */
  readonly freshnessMs?: number;
}

interface Reading extends Progress {
  readonly at: number;
}

/** The rate is that of this long, so that it neither jumps nor lags. */
const windowMs = 5_000;

/** Shows the numbers until the signal: every second on a terminal, else as a line every 10 s. Never throws. */
export async function showProgress(read: () => Promise<Progress>, out: Screen, signal: AbortSignal): Promise<void> {
  const everyMs = out.terminal ? 1_000 : 10_000;
  let readings: Reading[] = [];
  // Not at once: the warehouse belongs to whom asks first, and that should be the worker.
  while (await passes(everyMs, signal)) {
    try {
      const now = { ...(await read()), at: Date.now() };
      readings = [...readings.filter(({ at }) => now.at - at <= windowMs + everyMs), now];
      if (signal.aborted) return;
      out.live(describeProgress(now, eventsPerSecond(readings)));
    } catch {
      // A part is down or starting: what it logs says so better than a number could.
    }
  }
}

/** Whether the time passed without the signal. */
function passes(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal, ref: false }).catch(() => false);
}

function eventsPerSecond(readings: readonly Reading[]): number | undefined {
  const first = readings[0]!;
  const last = readings.at(-1)!;
  if (first.inLake === undefined || last.inLake === undefined || last.at === first.at) return undefined;
  return ((last.inLake - first.inLake) * 1_000) / (last.at - first.at);
}

export function describeProgress(now: Progress, rate: number | undefined): string {
  const count = (value: number | undefined): string => (value === undefined ? '?' : value.toLocaleString('en-US'));
  const parts = [
    `${count(now.waiting)} waiting`,
    `${count(now.inLake)} in the lake`,
    `${count(now.loaded)} loaded`,
    `${count(now.rejected)} rejected`,
  ];
  if (rate !== undefined) parts.push(`${count(Math.round(rate))} events/s`);
  if (now.freshnessMs !== undefined) parts.push(`fresh to ${describeDuration(now.freshnessMs)}`);
  return parts.join(' · ');
}

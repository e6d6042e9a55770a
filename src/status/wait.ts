import { setTimeout as delay } from 'node:timers/promises';

import type { StatusReport } from './report.js';
import type { StatusReader } from './status.js';

export interface WaitOptions {
  readonly timeoutMs: number;
  /** Between two readings. */
  readonly everyMs: number;
  /** What is still waited for, after each reading. */
  readonly onWaiting?: (what: readonly string[]) => void;
}

export interface Waited {
  /** The last reading; undefined where not even one came in time. */
  readonly report: StatusReport | undefined;
  /** Empty where nothing is under way any more. */
  readonly waitingFor: readonly string[];
}

const alikeReadings = 3;

/**
 * Waits until sources and secondary hold nothing, no workflow of the pipeline but `reconcile` runs and no table misses an
 * object of any age: seen three times alike, since queues and visibility may answer late. A queue that says how late it
 * answers is asked until it tells what it held after the wait had begun.
 */
export async function waitUntilDone(reader: StatusReader, options: WaitOptions): Promise<Waited> {
  const begun = Date.now();
  const deadline = begun + options.timeoutMs;
  const late = new AbortController();
  const tooLate = delay(options.timeoutMs, undefined, { signal: late.signal }).catch(() => undefined);
  let report: StatusReport | undefined;
  let waitingFor: readonly string[] = ['a first answer'];
  let alike = { times: 0, as: '' };
  try {
    while (Date.now() < deadline) {
      // The whole lake is compared only once the rest is done: that may take long.
      const reading = await Promise.race([tooLate, reader.read(alike.times > 0 ? 'everything' : 'live')]);
      if (reading === undefined) break;
      report = reading;
      const left = whatIsLeft(report, begun);
      const as = JSON.stringify([report.lake, report.tables]);
      alike = left.length > 0 ? { times: 0, as } : { times: as === alike.as ? alike.times + 1 : 1, as };
      if (alike.times >= alikeReadings) return { report, waitingFor: [] };
      waitingFor = left.length > 0 ? left : ['the same answer three times'];
      options.onWaiting?.(waitingFor);
      await Promise.race([tooLate, delay(options.everyMs)]);
    }
    return { report, waitingFor };
  } finally {
    late.abort();
  }
}

/**
 * What a pipeline has still to do, for people: `3 messages on app`. Empty where it is done. `since`: Unix milliseconds, from which on
 * a queue must have been empty.
 */
export function whatIsLeft(report: StatusReport, since: number): string[] {
  const left = report.unanswered.map(({ part, error }) => `${part} (${error})`);
  for (const [name, { waiting, leased, asOf }] of Object.entries(report.queues)) {
    if (waiting + leased > 0) left.push(`${waiting + leased} messages on ${name}`);
    else if (asOf !== undefined && Date.parse(asOf) < since) left.push(`a count of ${name} that is newer than ${asOf}`);
  }
  if (report.workflows !== undefined && report.workflows > 0) left.push(`${report.workflows} workflows`);
  for (const [name, { objectsMissing = 0 }] of Object.entries(report.tables))
    if (objectsMissing > 0) left.push(`${objectsMissing} objects in ${name}`);
  return left;
}

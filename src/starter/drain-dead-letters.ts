import { setTimeout as sleep } from 'node:timers/promises';

import { logged, type Logger } from '../log.js';
import type { Queue } from '../providers/queue.js';
import { runPollers, type Poller, type PollerOptions, type PollerProcess } from './pollers.js';
import { createLoadPoller, createSourcePoller } from './run.js';

/** Of one queue's dead letters. */
export interface Drained {
  /** A source's name, or `secondary`. */
  readonly queue: string;
  /** Messages whose events are in the lake now, or whose objects are loaded. */
  readonly messages: number;
  /** About as many wait there still, or are held by somebody. */
  readonly left: number;
}

interface Draining {
  readonly name: string;
  readonly queue: Queue;
  readonly poller: Poller & { readonly leased: number; readonly acknowledged: number };
}

const lookEveryMs = 1_000;
/** A queue's counts are approximate, and late: it is empty once it looked so as often in a row. */
const looksEmpty = 3;

/**
 * Takes dead letters as the messages of their queue are taken: events into the lake, under the ids and send times that
 * they have, references to their loads. Ends when all look empty, or at the signal. Workers must be running.
 *
 * @param follow - called about once a second with what was done until then
 */
export async function drainDeadLetters(
  options: PollerOptions,
  follow: (drained: readonly Drained[]) => void,
): Promise<readonly Drained[]> {
  const empty = new AbortController();
  const signal = AbortSignal.any([options.signal, empty.signal]);
  let draining: Draining[] = [];
  let left: readonly number[] = [];
  const now = (): Drained[] =>
    draining.map(({ name, poller }, index) => ({
      queue: name,
      messages: poller.acknowledged,
      left: left[index] ?? 0,
    }));
  await runPollers({ ...options, signal }, (process) => {
    draining = pollersOfDeadLetters(process);
    const looked = (counts: readonly number[]): void => {
      left = counts;
      follow(now());
    };
    void untilEmpty(draining, signal, process.log, looked).then(() => empty.abort());
    return draining.map(({ poller }) => poller);
  });
  return now();
}

function pollersOfDeadLetters(process: PollerProcess): Draining[] {
  const { sources, secondary } = process.parts;
  const draining: Draining[] = [];
  for (const [name, { deadLetters: queue }] of Object.entries(sources))
    if (queue !== undefined) draining.push({ name, queue, poller: createSourcePoller(process, name, queue) });
  const { deadLetters: queue } = secondary;
  if (queue !== undefined) draining.push({ name: 'secondary', queue, poller: createLoadPoller(process, queue) });
  return draining;
}

/** Resolves when all look empty, or at the signal. */
export async function untilEmpty(
  draining: readonly { readonly queue: Pick<Queue, 'backlog'>; readonly poller: { readonly leased: number } }[],
  signal: AbortSignal,
  log: Logger,
  looked: (left: readonly number[]) => void,
): Promise<void> {
  for (let times = 0; times < looksEmpty && !signal.aborted;) {
    try {
      const backlogs = await Promise.all(draining.map(({ queue }) => queue.backlog()));
      // What is held here may not be counted yet, and would be given back if this ended now.
      const left = backlogs.map(({ waiting, leased }, at) => waiting + Math.max(leased, draining[at]!.poller.leased));
      looked(left);
      times = left.every((count) => count === 0) ? times + 1 : 0;
    } catch (error) {
      log.warn(logged(error), 'a dead-letter queue does not answer; asked again');
      times = 0;
    }
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

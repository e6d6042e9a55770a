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
  /** When it was so, where the queue tells it only some time later. */
  readonly asOf?: Date | undefined;
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
  let left: readonly Left[] = [];
  const now = (): Drained[] =>
    draining.map(({ name, poller }, index) => ({
      queue: name,
      messages: poller.acknowledged,
      left: 0,
      ...left[index],
    }));
  await runPollers({ ...options, signal }, (process) => {
    draining = pollersOfDeadLetters(process);
    const looked = (counts: readonly Left[]): void => {
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

type Left = Pick<Drained, 'left' | 'asOf'>;

interface Emptying {
  readonly queue: Pick<Queue, 'backlog'>;
  readonly poller: { readonly leased: number };
}

/** Resolves when all look empty, or at the signal. */
export async function untilEmpty(
  draining: readonly Emptying[],
  signal: AbortSignal,
  log: Logger,
  looked: (left: readonly Left[]) => void,
): Promise<void> {
  let busyAt = Date.now();
  for (let times = 0; times < looksEmpty && !signal.aborted;) {
    try {
      const backlogs = await Promise.all(draining.map(({ queue }) => queue.backlog()));
      const held = draining.map(({ poller }) => poller.leased);
      if (held.some((count) => count > 0)) busyAt = Date.now();
      // What is held here may not be counted yet, and would be given back if this ended now.
      const left = backlogs.map(({ waiting, leased, asOf }, at) => ({
        left: waiting + Math.max(leased, held[at]!),
        ...(asOf && { asOf }),
      }));
      looked(left);
      // A queue that answers late may tell how it was before all this.
      const isEmpty = left.every(({ left: count, asOf }) => count === 0 && (asOf?.getTime() ?? busyAt) >= busyAt);
      times = isEmpty ? times + 1 : 0;
    } catch (error) {
      log.warn(logged(error), 'a dead-letter queue does not answer; asked again');
      times = 0;
    }
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

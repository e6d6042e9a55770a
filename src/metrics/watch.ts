import { setTimeout as sleep } from 'node:timers/promises';

/** How often stores and queues are asked; less often where events may be older anyway, since clouds charge for it. */
export function watchEveryMs({ freshnessMs }: { readonly freshnessMs: number }): number {
  return Math.max(10_000, freshnessMs);
}

/**
 * Reads again and again until `stop`, and tells each answer, or undefined where none came in time. One that hangs is waited for, and not
 * asked a second time; one that fails is asked again at the next turn.
 */
export async function watch<Answer>(
  read: () => Promise<Answer>,
  tell: (answer: Answer | undefined) => void,
  everyMs: number,
  stop: AbortSignal,
): Promise<void> {
  let reading: Promise<Answer | undefined> | undefined;
  for (;;) {
    const pause = sleep(everyMs, undefined, { signal: stop, ref: false }).catch(() => undefined);
    reading ??= read()
      .catch(() => undefined)
      .finally(() => (reading = undefined));
    const answer = await Promise.race([reading, pause]);
    if (stop.aborted) return;
    tell(answer);
    await pause;
  }
}

import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a condition, not for a time; what it waits for is named when it never comes. */
export async function until<Value>(
  what: string,
  look: () => Value | undefined | false | Promise<Value | undefined | false>,
  longestMs = 30_000,
): Promise<Value> {
  const deadline = Date.now() + longestMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await sleep(10);
  }
}

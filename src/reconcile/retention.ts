import { hourPrefix, parseObjectKey } from '../keys.js';
import { timeOfId } from '../ids.js';

const dayMs = 86_400_000;

/**
 * What a retention rule may have taken from the lake: all before the oldest day that the lake still has, and any of that
 * day, since stores expire a day's objects in no order and over hours. Never what is younger than `survive` and a day,
 * which retention must outlast.
 */
export class Retention {
  readonly #before: number;
  /** By source, the day (Unix days) of the oldest object. */
  readonly #oldest = new Map<string, number>();

  constructor(now: number, surviveMs: number) {
    this.#before = now - surviveMs - dayMs;
  }

  /** Called with the first key of each source's listing. */
  begins(source: string, key: string): void {
    const time = timeOfId(parseObjectKey(key)?.batch ?? '');
    if (time !== undefined) this.#oldest.set(source, dayOf(time));
  }

  /** Whether an object of a batch that closed then may be gone without a fault. */
  mayHaveTaken(source: string, time: number): boolean {
    return time < this.#before && dayOf(time) <= (this.#oldest.get(source) ?? Infinity);
  }

  mayHaveTakenKey(key: string): boolean {
    const { source, batch } = parseObjectKey(key) ?? {};
    const time = timeOfId(batch ?? '');
    return source !== undefined && time !== undefined && this.mayHaveTaken(source, time);
  }

  /** Comes before every key of the source that retention cannot have taken. */
  safePrefix(source: string): string {
    return hourPrefix(source, this.#before);
  }
}

function dayOf(time: number): number {
  return Math.floor(time / dayMs);
}

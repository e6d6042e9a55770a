import pLimit from 'p-limit';

const most = 64;

/**
 * How many calls of a bucket are under way at once: half as many when the service asks for fewer, and slowly more while it
 * does not, as its guide of request rates wants it. A bucket grows with what is asked of it, and needs minutes for that.
 */
export class Pace {
  readonly #calls = pLimit(most);
  #begun = 0;
  /** The last call that had begun when the pace was slowed: what those before it are told is no news. */
  #slowedAt = 0;
  #wellSince = 0;

  get atOnce(): number {
    return this.#calls.concurrency;
  }

  run<Result>(call: () => Promise<Result>, asksForFewer: (error: unknown) => boolean): Promise<Result> {
    return this.#calls(async () => {
      const mine = ++this.#begun;
      try {
        const result = await call();
        this.#faster();
        return result;
      } catch (error) {
        if (asksForFewer(error)) this.#slower(mine);
        throw error;
      }
    });
  }

  #slower(call: number): void {
    this.#wellSince = 0;
    if (call <= this.#slowedAt) return;
    this.#slowedAt = this.#begun;
    this.#calls.concurrency = Math.max(1, Math.floor(this.atOnce / 2));
  }

  /** One more for each round of calls that all went well. */
  #faster(): void {
    if (this.atOnce === most || ++this.#wellSince < this.atOnce) return;
    this.#wellSince = 0;
    this.#calls.concurrency++;
  }
}

const paces = new Map<string, Pace>();

/** The one of a bucket in this process, whoever opens it. */
export function paceOf(bucket: string): Pace {
  const pace = paces.get(bucket) ?? new Pace();
  paces.set(bucket, pace);
  return pace;
}

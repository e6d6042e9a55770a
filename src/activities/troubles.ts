/** So long after a table's failure live loads leave it to its backfill without trying. */
const failureFreshMs = 30_000;
/** A load that has been under way for so long, or for all of `patience`, may hang, on a lock for example: those after it would too. */
const slowMs = 60_000;

/** What this process saw of each table's loads, so that a table that fails or hangs does not hold up the others. */
export class Troubles {
  readonly #failedAt = new Map<string, number>();
  readonly #underWay = new Map<symbol, { readonly table: string; readonly since: number }>();
  readonly #slowMs: number;

  constructor(patienceMs: number) {
    this.#slowMs = Math.min(slowMs, patienceMs);
  }

  /** Why a live load should leave the table to its backfill; undefined where nothing is known against it. */
  of(table: string): string | undefined {
    const now = Date.now();
    const failedAt = this.#failedAt.get(table);
    if (failedAt !== undefined && now - failedAt <= failureFreshMs) return 'its last load failed a moment ago';
    const slow = [...this.#underWay.values()].some((load) => load.table === table && now - load.since >= this.#slowMs);
    return slow ? 'an earlier load of it is still under way' : undefined;
  }

  /** `fault`: whether the error says something against the table, or how long it took to come to it. */
  async watch<Result>(
    table: string,
    signal: AbortSignal,
    load: () => Promise<Result>,
    fault: (error: unknown, slow: boolean) => boolean,
  ): Promise<Result> {
    const id = Symbol(table);
    const since = Date.now();
    const forget = (): void => void this.#underWay.delete(id);
    this.#underWay.set(id, { table, since });
    // One that ends neither when it is aborted would be held against the table for ever.
    signal.addEventListener('abort', forget);
    try {
      const result = await load();
      this.#failedAt.delete(table);
      return result;
    } catch (error) {
      if (fault(error, Date.now() - since >= this.#slowMs)) this.#failedAt.set(table, Date.now());
      throw error;
    } finally {
      forget();
      signal.removeEventListener('abort', forget);
    }
  }
}

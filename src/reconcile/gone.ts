import type { Parts } from '../open.js';
import type { ComparedObject, OwedTable } from './compare.js';
import type { Retention } from './retention.js';

/** Keys of one answer of the warehouse. */
const pageSize = 1_000;

/**
 * Counts the objects that manifests name as loaded and the lake no longer has, stretch by stretch of the listing: memory
 * does not grow with the lake. The manifest is asked after the listing, so what it has beyond that is looked for again.
 */
export class GoneObjects {
  /** By table. */
  readonly counts: ReadonlyMap<string, number>;
  readonly #counts: Map<string, number>;
  readonly #parts: Pick<Parts, 'lake' | 'warehouse'>;
  readonly #retention: Retention;
  /** By source, the key up to which all is done. */
  readonly #done = new Map<string, string>();

  constructor(parts: Pick<Parts, 'lake' | 'warehouse'>, tables: readonly OwedTable[], retention: Retention) {
    this.#parts = parts;
    this.#retention = retention;
    this.counts = this.#counts = new Map(tables.map(({ shape }) => [shape.name, 0]));
  }

  /** The next page of the listing, which is of one source. */
  async page(page: readonly ComparedObject[]): Promise<void> {
    const [first, last] = [page[0], page.at(-1)];
    if (first === undefined || last === undefined) return;
    const { source } = first;
    if (!this.#done.has(source)) {
      this.#retention.begins(source, first.key);
      const safe = this.#retention.safePrefix(source);
      this.#done.set(source, first.key < safe ? first.key : safe);
    }
    await this.#compare(source, last.key, new Set(page.map(({ key }) => key)));
  }

  /** After the last page: what the manifests have behind the end of each source's listing. */
  async rest(sources: readonly string[]): Promise<void> {
    for (const source of sources) {
      if (!this.#done.has(source)) this.#done.set(source, this.#retention.safePrefix(source));
      await this.#compare(source, `raw/${source}/~`, new Set());
    }
  }

  async #compare(source: string, upTo: string, listed: ReadonlySet<string>): Promise<void> {
    const from = this.#done.get(source)!;
    for (const [table, before] of this.#counts) {
      let gone = 0;
      for (let after = from; ;) {
        const loaded = await this.#parts.warehouse.loaded(table, { after, upTo, limit: pageSize });
        const unlisted = loaded.filter((key) => !listed.has(key) && !this.#retention.mayHaveTakenKey(key));
        if (unlisted.length > 0) gone += await this.#notThere(source, after, unlisted);
        if (loaded.length < pageSize) break;
        after = loaded.at(-1)!;
      }
      this.#counts.set(table, before + gone);
    }
    this.#done.set(source, upTo);
  }

  /** How many of the keys, which come after `after`, the lake does not have now. */
  async #notThere(source: string, after: string, keys: readonly string[]): Promise<number> {
    const left = new Set(keys);
    const last = keys.at(-1)!;
    for await (const { key } of this.#parts.lake.list(`raw/${source}/`, after)) {
      if (key > last || left.size === 0) break;
      left.delete(key);
    }
    return left.size;
  }
}

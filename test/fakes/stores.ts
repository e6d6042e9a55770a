import { LakeNotFound, TableMissing } from '../../src/errors.js';
import { objectKey } from '../../src/keys.js';
import type { Lake, LakeObject } from '../../src/providers/lake.js';
import type { Audit, TableShape, Warehouse } from '../../src/providers/warehouse.js';

/** A listing alone: objects by key, with the time that a test gives them. */
export class MemoryLake implements Lake {
  readonly uri = 'memory://lake';
  readonly objects = new Map<string, Date>();
  /** Keys of all that ever was there, by batch. */
  readonly keys = new Map<string, string>();
  /** Keys that listings began after. */
  readonly listedAfter: (string | undefined)[] = [];

  /** An object of a batch that closed at `closedAt` (Unix milliseconds); returns the batch. */
  add(closedAt: number, { source = 'app', events = 10, writtenAt = closedAt } = {}): string {
    const time = closedAt.toString(16).padStart(12, '0');
    const batch = `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${this.keys.size.toString(16).padStart(12, '0')}`;
    const key = objectKey({ source, batch, events, hash: 'a'.repeat(32) });
    this.objects.set(key, new Date(writtenAt));
    this.keys.set(batch, key);
    return batch;
  }

  async *list(prefix: string, after?: string): AsyncGenerator<LakeObject> {
    this.listedAfter.push(after);
    const keys = [...this.objects.keys()].filter(
      (key) => key.startsWith(prefix) && (after === undefined || key > after),
    );
    for (const key of keys.sort()) yield await Promise.resolve({ key, bytes: 1, writtenAt: this.objects.get(key)! });
  }

  put(): Promise<'written'> {
    return Promise.resolve('written');
  }

  get(key: string): Promise<AsyncIterable<Uint8Array>> {
    return Promise.reject(new LakeNotFound(`${key}: there is no such object`, { key }));
  }

  remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.objects.delete(key);
    return Promise.resolve();
  }

  check(): Promise<[]> {
    return Promise.resolve([]);
  }
}

const nothing: Audit = {
  events: 0,
  matched: 0,
  rows: 0,
  removed: 0,
  duplicates: 0,
  rejected: 0,
  cleared: 0,
  rowsCounted: 0,
  rejectionsCounted: 0,
  rowsTwice: 0,
  conflicts: 0,
  unreadable: 0,
};

/** Manifests alone: which batches each table has, at which version. */
export class MemoryManifest {
  readonly tables = new Map<string, { owesFrom: Date; loaded: Map<string, number>; audit: Audit }>();
  /** Most batches that one call asked for. */
  largestQuestion = 0;
  readonly #lake: MemoryLake;

  constructor(lake: MemoryLake) {
    this.#lake = lake;
  }

  make(table: string, owesFrom = new Date(0)): void {
    this.tables.set(table, { owesFrom, loaded: new Map(), audit: nothing });
  }

  load(table: string, batch: string, version = 1): void {
    this.tables.get(table)!.loaded.set(batch, version);
  }

  audits(table: string, audit: Partial<Audit>): void {
    Object.assign(this.#table(table), { audit: { ...nothing, ...audit } });
  }

  get warehouse(): Warehouse {
    return {
      owesFrom: (table: string) => Promise.resolve().then(() => this.#table(table).owesFrom),
      missing: ({ name, version }: TableShape, batches: readonly string[], at: string) => {
        this.largestQuestion = Math.max(this.largestQuestion, batches.length);
        const { loaded } = this.#table(name);
        const least = at === 'any version' ? 0 : version;
        return Promise.resolve(batches.filter((batch) => (loaded.get(batch) ?? -1) < least));
      },
      loaded: (table: string, { after, upTo, limit }: Parameters<Warehouse['loaded']>[1]) => {
        const keys = [...this.#table(table).loaded.keys()].map((batch) => this.#lake.keys.get(batch)!);
        const within = keys.filter((key) => key > after && key <= upTo).sort();
        return Promise.resolve(within.slice(0, limit));
      },
      audit: ({ name }: TableShape) => Promise.resolve(this.#table(name).audit),
      close: () => Promise.resolve(),
    } as unknown as Warehouse;
  }

  #table(name: string): { owesFrom: Date; loaded: Map<string, number>; audit: Audit } {
    const table = this.tables.get(name);
    if (table === undefined) throw new TableMissing(`there is no table ${name}`, { table: name });
    return table;
  }
}

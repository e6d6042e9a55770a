import { newId } from '../src/ids.js';
import { objectKey, parseObjectKey } from '../src/keys.js';
import type { Lake } from '../src/providers/lake.js';
import type { Held, Load, LoadResult, StagedFile, Warehouse } from '../src/providers/warehouse.js';
import type { Settings } from '../src/config/settings.js';
import { readWhole } from '../src/activities/read-object.js';
import { reconcile } from '../src/reconcile/reconcile.js';
import type { IdentitiesReport, ReconcileReport } from '../src/reconcile/report.js';
import { encodeBatch } from '../src/starter/encode.js';
import type { Table } from '../src/tables.js';
import type { LoadFile, TransformRequest } from '../src/transform/transformer.js';
import { DuckDBFolder } from './duckdb-folder.js';
import { MemoryQueue } from './fakes/queue.js';
import { transformHere } from './transform-objects.js';

const never = new AbortController().signal;
const hour = 3_600_000;
const dedupeMs = 24 * hour;

export interface SentEvent {
  readonly id?: string;
  readonly body: unknown;
  readonly attributes?: Readonly<Record<string, string>>;
}

const settings = {
  pipeline: 'app',
  sources: { app: {} },
  leaseMs: 30_000,
  patienceMs: 600_000,
  surviveMs: 3 * 24 * hour,
  dedupeMs,
} as unknown as Settings;

/** A folder lake and a DuckDB warehouse whose loads are made by the tables themselves, to be compared after an hour. */
export class DeepWorld {
  readonly folder: DuckDBFolder;
  readonly lake: Lake;
  /** Called when a comparison is about to read a table: what others do meanwhile. */
  meanwhile: (() => Promise<void>) | undefined;
  /** What the first reading of a table does not show. */
  unseen: ((held: Held) => boolean) | undefined;

  static async make(...tables: Table[]): Promise<DeepWorld> {
    const world = new DeepWorld(await DuckDBFolder.make());
    await world.folder.warehouse.migrate(
      tables.map(({ shape }) => shape),
      'apply',
    );
    return world;
  }

  private constructor(folder: DuckDBFolder) {
    this.folder = folder;
    this.lake = folder.lake;
  }

  close(): Promise<void> {
    return this.folder.close();
  }

  /** One object of these events; its key. `closedAt`: when its batch closed. */
  async store(events: readonly SentEvent[], batch = newId()): Promise<string> {
    const deliveries = events.map(({ id = newId(), body, attributes = {} }) => {
      return { id, attributes, body: Buffer.from(JSON.stringify(body)), sentAt: new Date() };
    });
    const { body, sha256, events: count } = await encodeBatch({ source: 'app', batch, dedupeMs, deliveries });
    const key = objectKey({ source: 'app', batch, events: count, hash: sha256.slice(0, 32) });
    await this.lake.put(key, body);
    return key;
  }

  /** Loads objects into a table, in one load, as a worker with this definition of it would. */
  async load(table: Table, keys: readonly string[], existing: Load['existing'] = 'keep'): Promise<LoadResult> {
    const batches = await Promise.all(
      keys.map(async (key) => {
        const made = await transformHere(table, await this.#request(key, existing));
        const stage = async (kind: string, file: LoadFile | undefined): Promise<StagedFile | undefined> => {
          if (file === undefined) return undefined;
          const staged = { key: `load/${newId()}/${kind}.gz`, sha256: file.sha256 };
          await this.lake.put(staged.key, file.body);
          return staged;
        };
        const rowsFile = await stage('rows', made.rows);
        const rejectionsFile = await stage('rejections', made.rejections);
        const { events, matched, lookFrom, lookTo } = made;
        const { batch } = parseObjectKey(key)!;
        return {
          ...{ batch, key, events, matched, lookFrom, lookTo },
          ...(rowsFile && { rowsFile }),
          ...(rejectionsFile && { rejectionsFile }),
        };
      }),
    );
    return this.folder.warehouse.load({ id: newId(), table: table.shape, existing, batches }, this.lake, never);
  }

  /** What a comparison with these definitions finds, an hour later. */
  async reconcile(
    tables: readonly Table[],
    { deep = true, signal }: { deep?: boolean; signal?: AbortSignal } = {},
  ): Promise<ReconcileReport> {
    const parts = {
      ...{ sources: { app: new MemoryQueue() }, secondary: new MemoryQueue(), lake: this.lake },
      warehouse: this.#interrupted(),
    };
    const transformer = {
      transform: (request: TransformRequest) => {
        const asked = tables.filter(({ name }) => request.tables.includes(name));
        return Promise.all(asked.map((table) => transformHere(table, request)));
      },
    };
    const { report } = await reconcile(parts, settings, tables, {
      ...{ full: true, now: Date.now() + hour },
      ...(deep && { deep: { transformer, folder: this.folder.dataDir } }),
      ...(signal && { signal }),
    });
    return report;
  }

  /** Of one table: whether all holds, and what its identities came to. */
  async identities(
    table: Table,
  ): Promise<{ ok: boolean; compared: number; missing: number; uneven: number; extra: number }> {
    const { ok, tables } = await this.reconcile([table]);
    const { compared, missing, uneven, extra } = tables[table.name]!.identities as IdentitiesReport;
    return { ok, compared, missing, uneven, extra };
  }

  async #request(key: string, existing: Load['existing']): Promise<TransformRequest> {
    const { source, batch, events, hash } = parseObjectKey(key)!;
    const { limits } = this.folder.warehouse;
    const object = await readWhole(this.lake, key);
    return { ...{ object, key, source, batch, events, sha256: hash }, tables: 'all', existing, dedupeMs, limits };
  }

  #interrupted(): Warehouse {
    const begin = async (): Promise<DeepWorld['unseen']> => {
      const { meanwhile, unseen } = this;
      this.meanwhile = this.unseen = undefined;
      await meanwhile?.();
      return unseen;
    };
    return new Proxy(this.folder.warehouse, {
      get(target, name) {
        const own: unknown = Reflect.get(target, name, target);
        if (typeof own !== 'function') return own;
        if (name !== 'held') return own.bind(target) as unknown;
        return async function* (...args: Parameters<Warehouse['held']>) {
          const unseen = await begin();
          for await (const held of target.held(...args)) if (unseen?.(held) !== true) yield held;
        };
      },
    });
  }
}

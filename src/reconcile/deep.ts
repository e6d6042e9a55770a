import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Settings } from '../config/settings.js';
import { parseObjectKey, type ObjectName } from '../keys.js';
import type { Parts } from '../open.js';
import type { LakeObject } from '../providers/lake.js';
import type { Transformer } from '../transform/transformer.js';
import type { ComparedObject, OwedTable } from './compare.js';
import { forEachAtOnce } from './at-once.js';
import { Candidates } from './deep-candidates.js';
import { gather } from './deep-judge.js';
import { readContents, type ObjectContents } from './deep-object.js';
import { Partitions } from './deep-partitions.js';
import { isIdentity, noSource, type ReadRecord } from './deep-records.js';
import { ObjectStates, type ObjectState } from './deep-states.js';
import type { IdentitiesReport } from './report.js';
import { Retention } from './retention.js';

export interface DeepOptions {
  readonly transformer: Pick<Transformer, 'transform'>;
  /** Where what is remembered is kept until the end, in a folder of its own; default: the system's folder for such. */
  readonly folder?: string;
  /** How much of the lake is read. */
  readonly onProgress?: (done: { readonly bytes: number; readonly of: number }) => void;
}

export interface DeepResult {
  readonly tables: ReadonlyMap<string, IdentitiesReport>;
  /** Objects whose bytes are not there, or not those that their keys name. */
  readonly unreadable: number;
  /** Keys of the first of them. */
  readonly unreadableKeys: readonly string[];
}

const objectsAtOnce = 4;
const mostKeys = 10;

/**
 * Compares the identities that the bodies in the lake make with those that the tables hold. The order makes what goes on
 * meanwhile harmless: first the manifests are asked which objects are loaded, then the tables are read, then the objects:
 * what a manifest named is in its table since, and what is in a table has been in the lake before. All that is remembered
 * is on disk, so that memory does not grow with the lake.
 */
export class DeepComparison {
  readonly #folder: string;
  readonly #states: ObjectStates;
  readonly #unreadable = { count: 0, keys: [] as string[], batches: new Set<string>() };
  readonly #parts: Pick<Parts, 'lake' | 'warehouse'>;
  readonly #dedupeMs: number;
  readonly #sources: readonly string[];
  readonly #tables: readonly OwedTable[];
  readonly #options: DeepOptions;
  readonly #signal: AbortSignal | undefined;
  readonly #retention: Retention;
  #events = 0;
  #bytes = { bytes: 0, of: 0 };

  constructor(
    parts: Pick<Parts, 'lake' | 'warehouse'>,
    settings: Pick<Settings, 'sources' | 'dedupeMs' | 'surviveMs'>,
    tables: readonly OwedTable[],
    options: DeepOptions & { readonly now: number; readonly signal?: AbortSignal | undefined },
  ) {
    this.#folder = mkdtempSync(join(options.folder ?? tmpdir(), 'catchment-reconcile-'));
    this.#states = new ObjectStates(this.#folder);
    this.#parts = parts;
    this.#dedupeMs = settings.dedupeMs;
    this.#sources = Object.keys(settings.sources);
    this.#tables = tables;
    this.#options = options;
    this.#signal = options.signal;
    this.#retention = new Retention(options.now, settings.surviveMs);
  }

  /** A page of the listing, compared with the manifests a moment ago. */
  async page(page: readonly ComparedObject[]): Promise<void> {
    const [first] = page;
    if (first === undefined) return;
    const current = await Promise.all(this.#tables.map((table) => this.#currentIn(table, page)));
    const states = page.map(({ key }) => ({ key, current: current.map((batches) => batches.has(key)) }));
    this.#states.add(this.#sources.indexOf(first.source), states);
    for (const { events, bytes } of page) {
      this.#events += events;
      this.#bytes.of += bytes;
    }
  }

  /** After all pages. `rows`: about how many the tables hold, rejections included. */
  async compare(rows: number): Promise<DeepResult> {
    const partitions = new Partitions(this.#folder, this.#events + 2 * rows);
    const candidates = new Candidates(
      this.#parts.warehouse,
      this.#tables.map(({ shape }) => shape),
    );
    await this.#readTables(partitions, candidates);
    await this.#readLake(partitions);
    for (let index = 0; index < partitions.count; index++) {
      await this.#judge(partitions.read(index), candidates);
      this.#signal?.throwIfAborted();
    }
    const { count, keys } = this.#unreadable;
    return { tables: await candidates.reports(), unreadable: count, unreadableKeys: keys };
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Keys of the page's objects that the table's current version loaded. */
  async #currentIn({ shape, owesFrom }: OwedTable, page: readonly ComparedObject[]): Promise<Set<string>> {
    const owed = page.filter(({ writtenAt }) => writtenAt >= owesFrom);
    const others = page.filter(({ writtenAt }) => writtenAt < owesFrom);
    const batches = others.map(({ batch }) => batch);
    const without = new Set(
      batches.length === 0 ? [] : await this.#parts.warehouse.missing(shape, batches, 'this version or higher'),
    );
    return new Set([
      ...owed
        .filter(({ missingIn, outdatedIn }) => !missingIn.includes(shape.name) && !outdatedIn.includes(shape.name))
        .map(({ key }) => key),
      ...others.filter(({ batch }) => !without.has(batch)).map(({ key }) => key),
    ]);
  }

  async #readTables(partitions: Partitions, candidates: Candidates): Promise<void> {
    let count = 0;
    for (const [table, { shape }] of this.#tables.entries()) {
      for await (const { eventKey, rejected, version, source, batch } of this.#parts.warehouse.held(shape.name)) {
        // What is no identity is a row that no load made; the sums tell of it.
        if (!isIdentity(eventKey) || !this.#sources.includes(source)) candidates.addUnknown(table);
        if (!isIdentity(eventKey)) continue;
        partitions.add(eventKey, {
          what: rejected ? 'rejection' : 'row',
          table,
          number: version,
          source: this.#sourceOf(source),
          batch,
        });
        if (++count % 10_000 === 0) this.#signal?.throwIfAborted();
      }
    }
  }

  async #readLake(partitions: Partitions): Promise<void> {
    for (const source of this.#sources) {
      const objects = this.#objectsOf(source);
      await forEachAtOnce(objects, objectsAtOnce, async (object) => {
        this.#signal?.throwIfAborted();
        await this.#readObject(object, partitions);
        this.#bytes.bytes += object.bytes;
        this.#options.onProgress?.(this.#bytes);
      });
    }
  }

  /** Those that are there now, each with what the manifests said of it when it was listed first; none where it was not. */
  async *#objectsOf(source: string): AsyncGenerator<LakeObject & ObjectName & { current: ObjectState['current'] }> {
    const states = this.#states.read(this.#sources.indexOf(source));
    let state = await states.next();
    let begun = false;
    for await (const object of this.#parts.lake.list(`raw/${source}/`)) {
      const name = parseObjectKey(object.key);
      if (name === undefined) continue;
      if (!begun) this.#retention.begins(source, object.key);
      begun = true;
      for (; state.done !== true && state.value.key < object.key; state = await states.next())
        this.#isGone(state.value.key);
      const known = state.done !== true && state.value.key === object.key ? state.value : undefined;
      if (known !== undefined) state = await states.next();
      yield { ...object, ...name, current: known?.current ?? [] };
    }
    for (; state.done !== true; state = await states.next()) this.#isGone(state.value.key);
  }

  async #readObject(
    object: LakeObject & ObjectName & { current: ObjectState['current'] },
    partitions: Partitions,
  ): Promise<void> {
    const { lake, warehouse } = this.#parts;
    const { transformer } = this.#options;
    const tables = this.#tables.filter((_, table) => object.current[table]).map(({ shape }) => shape);
    const reading = { lake, transformer, limits: warehouse.limits, dedupeMs: this.#dedupeMs };
    const contents = await readContents(reading, object, tables);
    if (contents === 'gone') this.#isGone(object.key);
    else if (contents === 'corrupt') this.#isUnreadable(object.key);
    else this.#note(object, contents, partitions);
  }

  #note(object: ObjectName, contents: ObjectContents, partitions: Partitions): void {
    const place = { source: this.#sourceOf(object.source), batch: object.batch };
    for (const identity of contents.identities)
      partitions.add(identity, { what: 'stored', table: 0, number: 0, ...place });
    for (const [table, { shape }] of this.#tables.entries()) {
      for (const [identity, number] of contents.made.get(shape.name) ?? [])
        partitions.add(identity, { what: 'made', table, number, ...place });
    }
  }

  #isGone(key: string): void {
    if (!this.#retention.mayHaveTakenKey(key)) this.#isUnreadable(key);
  }

  #isUnreadable(key: string): void {
    this.#unreadable.count += 1;
    this.#unreadable.batches.add(parseObjectKey(key)!.batch.replaceAll('-', ''));
    if (this.#unreadable.keys.length < mostKeys) this.#unreadable.keys.push(key);
  }

  async #judge(records: Iterable<ReadRecord>, candidates: Candidates): Promise<void> {
    const versions = this.#tables.map(({ shape }) => shape.version);
    for (const [identity, { stored, tables }] of gather(records, versions, (record) => this.#excuses(record))) {
      for (const [table, inTable] of tables.entries())
        if (inTable !== undefined) candidates.add(table, identity, stored, inTable);
    }
    await candidates.lookAgain();
  }

  /** A row or rejection of an object that was not read: of a source that is not listed, unreadable, or taken by retention. */
  #excuses({ source, batchHex, closedAt }: ReadRecord): boolean {
    const name = this.#sources[source];
    if (name === undefined || this.#unreadable.batches.has(batchHex)) return true;
    return this.#retention.mayHaveTaken(name, closedAt);
  }

  #sourceOf(name: string): number {
    const index = this.#sources.indexOf(name);
    return index < 0 ? noSource : index;
  }
}

import pLimit from 'p-limit';

import { ConfigError, LakeCorrupt, TableMissing, Unavailable, UserCodeError } from '../errors.js';
import type { CatchmentError } from '../errors.js';
import type { TableShape, Warehouse } from '../providers/warehouse.js';
import { Died, Isolate, type IsolateOptions } from './isolate.js';
import { fromFailure, type Answer, type Job, type Loaded, type Position, type SlowTable } from './messages.js';
import type { ObjectClaims } from './object.js';
import type { TableFiles } from './table.js';

export type { LoadFile } from './files.js';
export type { TableFiles } from './table.js';

export interface TransformRequest extends ObjectClaims {
  /** The lake object, as stored. */
  readonly object: Uint8Array;
  readonly tables: readonly string[] | 'all';
  /** All but `keep` ask for a line with `_row: -1` of an event that makes no row: it loses what it has. */
  readonly existing: 'keep' | 'replace' | 'rejected';
  /** How far apart copies of an event may be sent, in milliseconds. */
  readonly dedupeMs: number;
  readonly limits: Warehouse['limits'];
}

/** The table cannot take this object: its code hangs or breaks the thread for too many events. */
export interface TableFailure {
  readonly table: string;
  readonly error: UserCodeError;
}

export type TableOutcome = TableFiles | TableFailure;

/** Makes load files of lake objects with the user's code, which runs in threads of its own and can hurt nothing else. */
export interface Transformer {
  /** Throws `ConfigError` where the tables cannot be loaded; the next call tries anew. */
  tables(): Promise<readonly TableShape[]>;
  /**
   * One outcome a table, in the order asked. Throws `LakeCorrupt`, `TableMissing`, or `ConfigError` where the tables
   * cannot be loaded; the next call tries anew.
   */
  transform(request: TransformRequest): Promise<readonly TableOutcome[]>;
  /** What is under way fails with `Unavailable`. */
  close(): Promise<void>;
}

export interface TransformerOptions extends Partial<IsolateOptions> {
  /** Objects at once. Default 1: the work is CPU alone. */
  readonly threads?: number;
}

const defaults: IsolateOptions = { deadlineMs: 5_000, loadMs: 60_000, memoryMb: 1024 };
/** So many events of one table that hang or break the thread within one object are the table's fault, not theirs. */
const mostVerdicts = 3;

export function createTransformer(
  where: { config: string; dir: string },
  { threads = 1, ...options }: TransformerOptions = {},
): Transformer {
  const pool = Array.from({ length: threads }, () => new Slot(where, { ...defaults, ...options }));
  const idle = [...pool];
  const limit = pLimit(threads);
  return {
    // At once, also while objects are under way.
    tables: () => pool[0]!.tables(),
    transform: (request) =>
      limit(async () => {
        const slot = idle.pop()!;
        try {
          return await slot.transform(request);
        } finally {
          idle.push(slot);
        }
      }),
    close: async () => {
      await Promise.all(pool.map((slot) => slot.close()));
    },
  };
}

/** A place for a thread: a new one is started when it is needed and the last one is dead. */
class Slot {
  readonly #where: { config: string; dir: string };
  readonly #options: IsolateOptions;
  #isolate: Isolate | undefined;
  #closed = false;

  constructor(where: { config: string; dir: string }, options: IsolateOptions) {
    this.#where = where;
    this.#options = options;
  }

  async tables(): Promise<readonly TableShape[]> {
    return (await this.#ready()).tables;
  }

  async transform(request: TransformRequest): Promise<readonly TableOutcome[]> {
    const known = await this.tables();
    const asked = request.tables === 'all' ? known.map((table) => table.name) : request.tables;
    const unknown = asked.find((name) => !known.some((table) => table.name === name));
    if (unknown !== undefined) {
      throw new TableMissing(`${unknown}: the config of this worker has no such table`, { table: unknown });
    }
    const { object, key, source, batch, events, sha256, existing, dedupeMs, limits } = request;
    const claims = { object, key, source, batch, events, sha256 };
    const { deadlineMs } = this.#options;
    const job = { ...claims, dedupeMs, limits, deadlineMs, tellRowless: existing !== 'keep' };
    return this.#isolated(job, asked);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#isolate?.end();
  }

  /**
   * Runs the job again and again until the thread lives: an event in hand when it died is rejected only if that happens
   * again with the event alone, since a thread may die for what others did, and a deadline may pass while nothing ran.
   * Where events do not explain it, each table runs alone: one that leaks must not be the end of another.
   */
  async #isolated(job: Omit<Job, 'tables' | 'verdicts'>, asked: readonly string[]): Promise<readonly TableOutcome[]> {
    const failed = new Map<string, UserCodeError>();
    const verdicts: { name: string; line: number; reason: string }[] = [];
    let unexplained = 0;
    for (;;) {
      const tables = asked.filter((name) => !failed.has(name));
      if (tables.length === 0) return outcomes(asked, job.key, [], failed);
      const known = verdicts.filter(({ name }) => !failed.has(name));
      const answer = await this.#run({
        ...job,
        tables,
        verdicts: known.map(({ name, line, reason }) => ({ table: tables.indexOf(name), line, reason })),
      });
      if (!(answer instanceof Died)) return outcomes(asked, job.key, filesOf(answer), failed);
      const { line } = answer.at;
      if (line === 0) await this.#readable(job);
      const name = tables[answer.at.table]!;
      const again = line === 0 ? undefined : await this.#alone(job, name, line);
      if (again instanceof Died) {
        verdicts.push({ name, line, reason: reasonOf(again, this.#options) });
        if (verdicts.filter((verdict) => verdict.name === name).length < mostVerdicts) continue;
      } else if (++unexplained < mostVerdicts) {
        continue;
      } else if (asked.length > 1) {
        const each: TableOutcome[] = [];
        for (const table of asked) each.push(...(await this.#isolated(job, [table])));
        return each;
      }
      const last = reasonOf(answer, this.#options);
      failed.set(
        name,
        new UserCodeError(
          `${name}: its code ended the thread ${mostVerdicts} times in one object, at last since it ${last}; mend match, schemas or rows`,
          { table: name, key: job.key, line },
        ),
      );
    }
  }

  /** Throws `LakeCorrupt` where the thread dies without any table. */
  async #readable(job: Omit<Job, 'tables' | 'verdicts'>): Promise<void> {
    const answer = await this.#run({ ...job, tables: [], verdicts: [] });
    if (!(answer instanceof Died)) return;
    const { key } = job;
    throw new LakeCorrupt(`${key}: cannot be read within ${this.#options.memoryMb} MB of memory`, { key });
  }

  #alone(job: Omit<Job, 'tables' | 'verdicts'>, name: string, line: number): Promise<Answer | Died> {
    const only: Position = { line, table: 0 };
    return this.#run({ ...job, tables: [name], verdicts: [], only });
  }

  async #run(job: Job): Promise<Answer | Died> {
    const { isolate } = await this.#ready();
    const answer = await isolate.run(job);
    this.#refuseWhenClosed();
    return answer;
  }

  async #ready(): Promise<{ isolate: Isolate; tables: readonly TableShape[] }> {
    this.#refuseWhenClosed();
    if (this.#isolate === undefined || this.#isolate.dead) this.#isolate = new Isolate(this.#where, this.#options);
    const isolate = this.#isolate;
    const loaded = await isolate.loaded;
    this.#refuseWhenClosed();
    if (!(loaded instanceof Died) && 'tables' in loaded) return { isolate, tables: loaded.tables };
    // Modules are imported once a thread: only a new one sees that they were mended.
    if (this.#isolate === isolate) this.#isolate = undefined;
    await isolate.end();
    throw notLoaded(loaded, this.#options);
  }

  #refuseWhenClosed(): void {
    if (this.#closed) throw new Unavailable('the transform is closed: this worker is going down');
  }
}

function notLoaded(loaded: Exclude<Loaded, { tables: unknown }> | Died, options: IsolateOptions): CatchmentError {
  if (!(loaded instanceof Died)) return fromFailure(loaded.failure);
  const how = {
    deadline: `took longer than ${options.loadMs / 1000} s`,
    memory: `needed more than ${options.memoryMb} MB`,
    exit: `ended the thread${loaded.error === undefined ? '' : `: ${loaded.error}`}`,
  };
  return new ConfigError(`importing the config and its tables ${how[loaded.how]}`);
}

function reasonOf(died: Died, options: IsolateOptions): string {
  switch (died.how) {
    case 'deadline':
      return `took longer than ${options.deadlineMs / 1000} s`;
    case 'memory':
      return `needed more than ${options.memoryMb} MB of memory`;
    case 'exit':
      return 'ended the thread (process.exit?)';
  }
}

function filesOf(answer: Answer): readonly (TableFiles | SlowTable)[] {
  if ('failure' in answer) throw fromFailure(answer.failure);
  return answer.files;
}

function outcomes(
  asked: readonly string[],
  key: string,
  files: readonly (TableFiles | SlowTable)[],
  failed: ReadonlyMap<string, UserCodeError>,
): TableOutcome[] {
  return asked.map((table) => {
    const error = failed.get(table);
    if (error !== undefined) return { table, error };
    const made = files.find((file) => file.table === table)!;
    return 'slowMs' in made ? { table, error: tooSlow(made, key) } : made;
  });
}

function tooSlow({ table, slowMs }: SlowTable, key: string): UserCodeError {
  const seconds = Math.round(slowMs / 1000);
  return new UserCodeError(
    `${table}: its code took more than ${seconds} s of one object, while other tables wait; make match, schemas or rows faster`,
    { table, key },
  );
}

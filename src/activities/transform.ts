import { isDeepStrictEqual } from 'node:util';

import pLimit, { type LimitFunction } from 'p-limit';

import { Unavailable } from '../errors.js';
import { newId } from '../ids.js';
import type { Lake } from '../providers/lake.js';
import type { Load, LoadBatch, StagedFile, TableShape } from '../providers/warehouse.js';
import type { LoadFile, TableFiles } from '../transform/transformer.js';
import { atLeast } from './at-least.js';
import { withHeartbeat } from './heartbeat.js';
import type { Dependencies } from './index.js';
import { stageFile, stagePlan } from './plans.js';
import { readObject } from './read-object.js';
import type { ObjectToLoad, PlannedLoad, TransformInput, TransformResult, WorkerActivities } from './types.js';

/** Each object is read and parsed once for all tables; what comes of it goes to staging, a plan a table beside it. */
export function createTransform(dependencies: Dependencies): WorkerActivities['transform'] {
  // Of all that wait for the transform's thread at most one is a backfill's, so that a live object soon has its turn.
  const unhurried = pLimit(1);
  return (input) => withHeartbeat((signal) => new Transformation(dependencies, input, unhurried).run(signal));
}

/** Objects that are read and staged while the thread works on one: a store may take seconds for each call. */
const objectsAtOnce = 8;

interface TablePlan {
  readonly shape: TableShape;
  readonly batches: LoadBatch[];
  rows: number;
  rejections: number;
}

class Transformation {
  readonly #dependencies: Dependencies;
  readonly #input: TransformInput;
  /** Objects are transformed one after the other: a table that fails at one is not asked for the next. */
  readonly #turn: LimitFunction;
  // A folder an attempt: objects are written once, and a paused attempt may still write.
  readonly #folder = `load/${newId()}/`;
  readonly #plans = new Map<string, TablePlan>();
  readonly #failed = new Map<string, string>();
  readonly #unreadable: string[] = [];

  constructor(dependencies: Dependencies, input: TransformInput, unhurried: LimitFunction) {
    this.#dependencies = dependencies;
    this.#input = input;
    this.#turn = input.live === false ? unhurried : pLimit(1);
  }

  async run(signal: AbortSignal): Promise<TransformResult> {
    for (const shape of await this.#shapes()) {
      this.#plans.set(shape.name, { shape, batches: [], rows: 0, rejections: 0 });
    }
    const limit = pLimit(objectsAtOnce);
    try {
      await limit.map(this.#input.objects, (object) => this.#add(object, signal));
    } finally {
      limit.clearQueue();
    }
    const { staging } = this.#dependencies.parts;
    const planned = await Promise.all([...this.#plans.values()].map((plan) => this.#stagePlan(staging, plan)));
    return {
      folder: this.#folder,
      planned,
      failed: [...this.#failed].map(([table, error]) => ({ table, error })),
      unreadable: this.#unreadable,
    };
  }

  async #shapes(): Promise<readonly TableShape[]> {
    const { tables } = this.#input;
    const known = await this.#dependencies.shapes();
    if (tables === 'all') return known;
    return tables.map((table) => {
      const shape = known.find(({ name }) => name === table);
      return atLeast(this.#input.version, shape, table);
    });
  }

  async #add(object: ObjectToLoad, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const made = await readObject(this.#dependencies.parts.lake, object.key, (bytes) =>
      this.#turn(async () => {
        signal.throwIfAborted();
        return this.#transform(object, bytes);
      }),
    );
    if (made === 'gone' || made === 'corrupt') {
      this.#unreadable.push(object.key);
      for (const { batches } of this.#plans.values()) batches.push(unreadable(object, made));
      return;
    }
    await Promise.all(made.map((files) => this.#stage(object, files)));
  }

  async #transform(object: ObjectToLoad, bytes: Uint8Array): Promise<readonly TableFiles[]> {
    const { parts, settings, transformer } = this.#dependencies;
    const outcomes = await transformer.transform({
      ...object,
      object: bytes,
      tables: [...this.#plans.keys()],
      existing: this.#input.existing,
      dedupeMs: settings.dedupeMs,
      limits: parts.warehouse.limits,
    });
    const made: TableFiles[] = [];
    for (const outcome of outcomes) {
      if ('error' in outcome) {
        this.#failed.set(outcome.table, outcome.error.message);
        this.#plans.delete(outcome.table);
      } else made.push(outcome);
    }
    return made;
  }

  /** A thread imports the tables when it starts, which may be long after this process did. */
  #changed(table: string): Unavailable {
    this.#dependencies.forgetTables();
    return new Unavailable(`${table}: its definition was changed while this worker ran; it is read anew`, { table });
  }

  async #stage(object: ObjectToLoad, made: TableFiles): Promise<void> {
    const plan = this.#plans.get(made.table);
    if (plan === undefined) return;
    if (!isDeepStrictEqual(plan.shape, made.shape)) throw this.#changed(made.table);
    const stage = async (kind: string, file: LoadFile | undefined): Promise<StagedFile | undefined> =>
      file &&
      stageFile(
        this.#dependencies.parts.staging,
        `${this.#folder}${made.table}/${object.batch}.${kind}.gz`,
        file.body,
        file.sha256,
      );
    const [rowsFile, rejectionsFile] = await Promise.all([
      stage('rows.ndjson', made.rows),
      stage('rejections.ndjson', made.rejections),
    ]);
    plan.rows += made.rows?.lines ?? 0;
    plan.rejections += made.rejections?.lines ?? 0;
    plan.batches.push({
      batch: object.batch,
      key: object.key,
      events: made.events,
      matched: made.matched,
      lookFrom: made.lookFrom,
      lookTo: made.lookTo,
      ...(rowsFile && { rowsFile }),
      ...(rejectionsFile && { rejectionsFile }),
    });
  }

  async #stagePlan(staging: Lake, { shape, batches, rows, rejections }: TablePlan): Promise<PlannedLoad> {
    const { load: id, existing, anew } = this.#input;
    // Whichever was read first: the oldest of several copies is the one that is kept.
    batches.sort((a, b) => (a.batch < b.batch ? -1 : 1));
    const load: Load = { id, table: shape, existing, ...(anew !== undefined && { anew }), batches };
    const plan = await stagePlan(staging, `${this.#folder}${shape.name}/`, load);
    return { table: shape.name, plan, rows, rejections };
  }
}

function unreadable({ batch, key, events }: ObjectToLoad, problem: 'gone' | 'corrupt'): LoadBatch {
  const never = new Date(0).toISOString();
  return { batch, key, events, matched: 0, lookFrom: never, lookTo: never, problem };
}

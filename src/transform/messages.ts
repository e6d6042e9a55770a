import type { MessagePort } from 'node:worker_threads';

import * as errors from '../errors.js';
import { CatchmentError, type ErrorPlace } from '../errors.js';
import type { TableShape, Warehouse } from '../providers/warehouse.js';
import type { ObjectClaims } from './object.js';
import type { TableFiles } from './table.js';

/** Where the user's code was, as a thread tells it through shared memory: it cannot be asked while it hangs. */
export interface Position {
  /** From 1; 0 while no user code runs. */
  readonly line: number;
  /** Its place among the job's tables. */
  readonly table: number;
}

/** What a thread is started with. */
export interface ThreadData {
  readonly config: string;
  readonly dir: string;
  readonly memoryMb: number;
  readonly progress: SharedArrayBuffer;
  /** Not the thread's `parentPort`, which user code can reach. */
  readonly port: MessagePort;
}

/** An event that cost a thread its life, and why. */
interface Verdict extends Position {
  readonly reason: string;
}

/** One object for one thread. */
export interface Job extends ObjectClaims {
  readonly object: Uint8Array;
  readonly tables: readonly string[];
  readonly tellRowless: boolean;
  readonly dedupeMs: number;
  readonly limits: Warehouse['limits'];
  /** Longest time in user code for one event and table, in milliseconds; who waits for the thread sees to it. */
  readonly deadlineMs: number;
  readonly verdicts: readonly Verdict[];
  /** This event and table alone: does it happen again? */
  readonly only?: Position;
}

/** A table that took so long that it was left out, for the others' sake. */
export interface SlowTable {
  readonly table: string;
  readonly slowMs: number;
}

/** A typed error without its class, which does not survive the way between threads. */
export interface Failure {
  readonly kind: string;
  readonly message: string;
  readonly where: ErrorPlace;
}

/** A thread's first message is of its tables, each later one answers a job. */
export type Loaded = { readonly tables: readonly TableShape[] } | { readonly failure: Failure };
export type Answer = { readonly files: readonly (TableFiles | SlowTable)[] } | { readonly failure: Failure };

export function toFailure(error: unknown): Failure {
  return error instanceof CatchmentError
    ? { kind: error.name, message: error.message, where: error.where }
    : { kind: 'CatchmentError', message: errors.describeError(error), where: {} };
}

export function fromFailure({ kind, message, where }: Failure): CatchmentError {
  const known: Readonly<Record<string, typeof CatchmentError | undefined>> = {
    ConfigError: errors.ConfigError,
    LakeCorrupt: errors.LakeCorrupt,
    TableMissing: errors.TableMissing,
  };
  return new (known[kind] ?? CatchmentError)(message, where);
}

/** The shared memory of a thread: the line and table in hand, and a count that grows whenever they change. */
export class Progress {
  readonly buffer: SharedArrayBuffer;
  readonly #slots: Int32Array;

  constructor(buffer = new SharedArrayBuffer(12)) {
    this.buffer = buffer;
    this.#slots = new Int32Array(buffer);
  }

  at(line: number, table: number): void {
    this.#slots[0] = line;
    this.#slots[1] = table;
    Atomics.add(this.#slots, 2, 1);
  }

  get count(): number {
    return Atomics.load(this.#slots, 2);
  }

  get position(): Position {
    return { line: Atomics.load(this.#slots, 0), table: Atomics.load(this.#slots, 1) };
  }
}

import { setTimeout as delay } from 'node:timers/promises';

import { Unavailable } from '../../errors.js';
import { holder } from '../../locks.js';
import type { Calls } from './duckdb-calls.js';
import { callsOf, OwnerGone } from './duckdb-client.js';
import { lockFile, tryToOwn, type Owner } from './duckdb-owner.js';

/** How long a call looks for the owner of the database, or for one that follows it, in milliseconds. */
const electionMs = 15_000;
const againMs = 50;

/** Finds the process that has the database open, for each call anew; it is this one where no other has it. */
export class Ownership {
  readonly #database: string;
  #owner: Owner | undefined;
  #taking: Promise<Owner | undefined> | undefined;
  #lettingGo: Promise<void> | undefined;
  #closed = false;
  /** This process changes tables, so the database stays with it. */
  #changes = false;

  constructor(database: string) {
    this.#database = database;
  }

  async ask<T>(work: (calls: Calls) => Promise<T>, signal: AbortSignal = new AbortController().signal): Promise<T> {
    const { result, leave } = await this.#begin(work, signal);
    leave();
    return result;
  }

  async change<T>(work: (calls: Calls) => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.#changes = true;
    return this.ask(work, signal);
  }

  /** An owner that ends before the first row is replaced; later it ends the query too. */
  async *query(sql: string): AsyncGenerator<Record<string, unknown>> {
    const stop = new AbortController();
    const { result, leave } = await this.#begin(async (calls) => {
      const rows = calls.query(sql)[Symbol.asyncIterator]();
      return { rows, first: await rows.next() };
    }, stop.signal);
    try {
      for (let next = result.first; next.done !== true; next = await result.rows.next()) yield next.value;
    } finally {
      stop.abort();
      await result.rows.return?.();
      leave();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#taking;
    this.#letGo(this.#owner);
    await this.#lettingGo;
  }

  async #begin<T>(work: (calls: Calls) => Promise<T>, signal: AbortSignal): Promise<{ result: T; leave: () => void }> {
    let until: number | undefined;
    for (;;) {
      if (this.#closed) throw new Unavailable(`the warehouse ${this.#database} was closed`);
      if (signal.aborted) throw new Unavailable('given up: the caller no longer waits');
      const owner = await this.#own();
      const call = owner?.enter();
      const leave = () => call?.leave();
      try {
        const calls = owner === undefined ? this.#others(signal) : await owner.calls(signal);
        return { result: await work(calls), leave };
      } catch (error) {
        leave();
        if (!(error instanceof OwnerGone)) throw error;
        until ??= Date.now() + electionMs;
        if (Date.now() > until) throw this.#nobody();
      }
      await delay(againMs);
    }
  }

  #others(signal: AbortSignal): Calls {
    const at = holder(lockFile(this.#database))?.at;
    if (at === undefined) throw new OwnerGone('no process has the warehouse open');
    return callsOf(at, signal);
  }

  async #own(): Promise<Owner | undefined> {
    if (this.#owner !== undefined) return this.#owner;
    if (holder(lockFile(this.#database)) !== undefined) return undefined;
    this.#taking ??= this.#take().finally(() => (this.#taking = undefined));
    return this.#taking;
  }

  async #take(): Promise<Owner | undefined> {
    const taken: { owner?: Owner | undefined; gone?: true } = {};
    const onGone = () => {
      taken.gone = true;
      this.#letGo(taken.owner);
    };
    taken.owner = await tryToOwn(this.#database, () => !this.#changes, onGone);
    this.#owner = taken.owner;
    if (taken.gone === true) this.#letGo(taken.owner);
    return taken.owner;
  }

  #letGo(owner: Owner | undefined): void {
    if (owner === undefined || owner !== this.#owner) return;
    this.#owner = undefined;
    this.#lettingGo = owner.close();
  }

  #nobody(): Unavailable {
    const held = holder(lockFile(this.#database));
    const who = held === undefined ? 'another process' : `process ${held.pid}, since ${held.since},`;
    return new Unavailable(`${who} has the warehouse ${this.#database} open and does not answer: end it, or wait`);
  }
}

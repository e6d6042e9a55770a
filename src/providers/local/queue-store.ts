import Database from 'libsql';

import { timeOfId } from '../../ids.js';

/** What a row keeps of a message: the head is JSON, since libsql cuts a text at its first NUL. */
export interface Row {
  readonly id: string;
  readonly head: string;
  readonly body: Uint8Array;
}

export interface TakenRow {
  readonly id: string;
  readonly head: string;
  readonly body: ArrayBuffer;
  readonly receipt: string;
  readonly deliveries: number;
}

/** Whether a receipt still held. `gone`: the message is no longer there, so it was acknowledged before. */
export type Settled = 'held' | 'lapsed' | 'gone';

// Of the column `leased`.
const free = 0;
const leased = 1;
const sliceBytes = 2 * 2 ** 20;
const inList = '(SELECT value FROM json_each(?))';

/** The file of a queue, as one thread uses it. Every call is one short transaction, and throws what libsql throws. */
export class QueueStore {
  readonly #db: Database.Database;
  readonly #pageBytes: number;
  readonly #statements = new Map<string, Database.Statement>();
  #sync = '';

  constructor(path: string) {
    this.#db = new Database(path);
    this.#pageBytes = this.#pragma('page_size');
    // Waiting is the caller's: it can do something else meanwhile, and asks again sooner than SQLite would.
    this.#db.exec('PRAGMA busy_timeout=0');
    this.#db.exec(`PRAGMA journal_size_limit=${64 * 2 ** 20}`);
    this.#db.exec(`PRAGMA wal_autocheckpoint=${(16 * 2 ** 20) / this.#pageBytes}`);
  }

  /** Durable when it returns: the commit waits for the disk. */
  send(rows: readonly Row[]): void {
    this.#write('FULL', () => {
      const insert = this.#prepare('INSERT INTO message (id, head, body) VALUES (?, ?, ?)');
      let last = 0;
      for (const { id, head, body } of rows) last = Number(insert.run(id, head, body).lastInsertRowid);
      this.#prepare(
        'INSERT INTO lease SELECT seq, ?, ?, 0, length(head) + length(body) FROM message WHERE seq > ? AND seq <= ?',
      ).run(free, Date.now(), last - rows.length, last);
      this.#prepare('UPDATE total SET messages = messages + ?').run(rows.length);
    });
  }

  /** Leases what has been free longest; at most `bytes`, or one message that is larger. */
  take(want: { messages: number; bytes: number; leaseMs: number }): TakenRow[] {
    if (!this.#due(1, Date.now()).length) return [];
    const taken = this.#write('NORMAL', () => {
      const now = Date.now();
      let bytes = 0;
      const due = this.#due(want.messages, now).filter(
        (row, index) => (bytes += row.bytes) <= want.bytes || index === 0,
      );
      this.#prepare(`UPDATE lease SET leased = ?, at = ?, deliveries = deliveries + 1 WHERE seq IN ${inList}`).run(
        leased,
        now + want.leaseMs,
        JSON.stringify(due.map(({ seq }) => seq)),
      );
      return new Map(due.map(({ seq, deliveries }) => [seq, deliveries + 1]));
    });
    // Bodies are read when the lock is free again: what is leased stays until its receipt is used.
    const rows = this.#prepare(`SELECT seq, id, head, body FROM message WHERE seq IN ${inList} ORDER BY seq`).all(
      JSON.stringify([...taken.keys()]),
    ) as { seq: number; id: string; head: string; body: ArrayBuffer }[];
    return rows.map(({ seq, id, head, body }) => {
      const deliveries = taken.get(seq)!;
      return { id, head, body, deliveries, receipt: `${seq}-${deliveries}` };
    });
  }

  #due(messages: number, now: number): { seq: number; deliveries: number; bytes: number }[] {
    const oldest = (where: string) => `SELECT * FROM (SELECT * FROM lease WHERE ${where} ORDER BY at, seq LIMIT ?1)`;
    return this.#prepare(
      `${oldest(`leased = ${free}`)} UNION ALL ${oldest(`leased = ${leased} AND at <= ?2`)} ORDER BY at, seq LIMIT ?1`,
    ).all(messages, now) as { seq: number; deliveries: number; bytes: number }[];
  }

  acknowledge(receipts: readonly string[]): Settled[] {
    return this.#settle(receipts, (held) => {
      this.#prepare(`DELETE FROM message WHERE seq IN ${inList}`).run(held);
      const { changes } = this.#prepare(`DELETE FROM lease WHERE seq IN ${inList}`).run(held);
      this.#prepare('UPDATE total SET messages = messages - ?').run(changes);
    });
  }

  extend(receipts: readonly string[], leaseMs: number): Settled[] {
    return this.#settle(receipts, (held) => {
      const change = this.#prepare(`UPDATE lease SET leased = ?, at = ? WHERE seq IN ${inList}`);
      change.run(leaseMs > 0 ? leased : free, Date.now() + leaseMs, held);
    });
  }

  /** A lease that lapsed still holds as long as nobody else has the message: one copy less. */
  #settle(receipts: readonly string[], change: (held: string) => void): Settled[] {
    const parsed = receipts.map((receipt) => receipt.split('-').map(Number) as [seq: number, deliveries: number]);
    return this.#write('NORMAL', () => {
      const rows = this.#prepare(`SELECT seq, leased, deliveries FROM lease WHERE seq IN ${inList}`).all(
        JSON.stringify(parsed.map(([seq]) => seq)),
      ) as { seq: number; leased: number; deliveries: number }[];
      const now = new Map(rows.map((row) => [row.seq, row]));
      const settled = parsed.map(([seq, deliveries]): Settled => {
        const row = now.get(seq);
        if (row === undefined) return Number.isInteger(deliveries) ? 'gone' : 'lapsed';
        return row.leased === leased && row.deliveries === deliveries ? 'held' : 'lapsed';
      });
      const held = parsed.filter((_, index) => settled[index] === 'held').map(([seq]) => seq);
      if (held.length > 0) change(JSON.stringify(held));
      return settled;
    });
  }

  /** Counts only what is leased: the total is kept, so a deep backlog costs nothing. */
  backlog(): { waiting: number; leased: number; oldestMs?: number } {
    const now = Date.now();
    const { total, hidden } = this.#prepare(
      `SELECT (SELECT messages FROM total) AS total,
        (SELECT count(*) FROM lease WHERE leased = ${leased} AND at > ?) AS hidden`,
    ).get(now) as { total: number; hidden: number };
    const oldest = this.#prepare('SELECT id FROM message ORDER BY seq LIMIT 1').all() as { id: string }[];
    const sentAt = timeOfId(oldest[0]?.id ?? '');
    return {
      waiting: total - hidden,
      leased: hidden,
      ...(sentAt !== undefined && { oldestMs: Math.max(0, now - sentAt) }),
    };
  }

  /** Changes when another process has committed. */
  version(): number {
    return this.#pragma('data_version');
  }

  /** Bytes of the file that hold nothing. */
  spareBytes(): number {
    return this.#pragma('freelist_count') * this.#pageBytes;
  }

  fileBytes(): number {
    return this.#pragma('page_count') * this.#pageBytes;
  }

  /** Gives a slice of what is spare back to the disk: all at once would hold the lock for seconds. */
  shrink(): void {
    this.#write('NORMAL', () => this.#db.exec(`PRAGMA incremental_vacuum(${sliceBytes / this.#pageBytes})`));
  }

  /** Empties the write-ahead log into the file, when nobody is reading. */
  checkpoint(): void {
    this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #write<Result>(sync: 'FULL' | 'NORMAL', change: () => Result): Result {
    if (this.#sync !== sync) this.#db.exec(`PRAGMA synchronous=${sync}`);
    this.#sync = sync;
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = change();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      // SQLite rolls back by itself after the gravest errors, and then refuses to do it again.
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #prepare(sql: string): Database.Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }

  #pragma(name: string): number {
    const [row] = this.#prepare(`PRAGMA ${name}`).all() as Record<string, number>[];
    return row?.[name] ?? 0;
  }
}

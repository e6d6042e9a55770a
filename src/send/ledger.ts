import { hash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';

/** A file of `{"id","sha256","at"}`, a line for each event that is durable: what a judge holds against the stores. */
export class Ledger {
  readonly #file: number;

  /** Appends to what is there. Throws the file system's error. */
  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  append(id: string, body: Uint8Array): void {
    const line = JSON.stringify({ id, sha256: hash('sha256', body), at: new Date().toISOString() });
    writeSync(this.#file, `${line}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }
}

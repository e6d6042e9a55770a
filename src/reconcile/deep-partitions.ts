import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describeError, Unavailable } from '../errors.js';
import { readRecord, recordBytes, writeRecord, type Finding, type ReadRecord } from './deep-records.js';

/** About so much of a partition is looked at together, which as objects takes some ten times the memory. */
const partitionBytes = 8_000_000;
const mostPartitions = 4_096;
/** What all partitions may hold back together before they write. */
const heldBackBytes = 64_000_000;
const mostHeldBack = 64 * 1024;

/** Findings by identity, on disk: all that is known of an identity is in one partition. */
export class Partitions {
  readonly count: number;
  readonly #folder: string;
  readonly #buffers: { buffer: Buffer | undefined; bytes: number }[];
  readonly #bufferBytes: number;

  /** `expected`: about how many findings will come, which is only a matter of speed and memory. */
  constructor(folder: string, expected: number) {
    this.#folder = folder;
    this.count = Math.min(mostPartitions, Math.max(1, Math.ceil((expected * recordBytes) / partitionBytes)));
    const each = Math.min(mostHeldBack, Math.floor(heldBackBytes / this.count));
    this.#bufferBytes = Math.floor(each / recordBytes) * recordBytes;
    this.#buffers = Array.from({ length: this.count }, () => ({ buffer: undefined, bytes: 0 }));
  }

  add(eventKey: string, finding: Finding): void {
    const index = Number.parseInt(eventKey.slice(0, 8), 16) % this.count;
    const partition = this.#buffers[index]!;
    partition.buffer ??= Buffer.allocUnsafeSlow(this.#bufferBytes);
    writeRecord(partition.buffer, partition.bytes, eventKey, finding);
    partition.bytes += recordBytes;
    if (partition.bytes === this.#bufferBytes) this.#flush(index);
  }

  *read(index: number): Generator<ReadRecord> {
    this.#flush(index);
    const path = this.#path(index);
    if (!existsSync(path)) return;
    const records = readFileSync(path);
    for (let at = 0; at < records.length; at += recordBytes) yield readRecord(records, at);
  }

  #flush(index: number): void {
    const partition = this.#buffers[index]!;
    if (partition.buffer === undefined || partition.bytes === 0) return;
    try {
      appendFileSync(this.#path(index), partition.buffer.subarray(0, partition.bytes));
    } catch (error) {
      throw new Unavailable(
        `the deep comparison cannot write what it remembers (${describeError(error)}): it takes about 200 bytes an event ` +
          `and table in ${this.#folder}; make space there, or set TMPDIR to a folder that has it`,
        { path: this.#folder },
      );
    }
    partition.bytes = 0;
  }

  #path(index: number): string {
    return join(this.#folder, `${index}.identities`);
  }
}

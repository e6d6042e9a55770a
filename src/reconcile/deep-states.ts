import { appendFileSync, createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A lake object as the listing and the manifests had it, before the tables were read. */
export interface ObjectState {
  readonly key: string;
  /** Of each table that is compared: whether it was loaded by the table's current version. */
  readonly current: readonly boolean[];
}

/** The states of a source's objects, on disk and in the order of their keys. */
export class ObjectStates {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  add(source: number, states: readonly ObjectState[]): void {
    const lines = states.map(({ key, current }) => `${key}\t${current.map((one) => (one ? '1' : '0')).join('')}\n`);
    appendFileSync(this.#path(source), lines.join(''));
  }

  async *read(source: number): AsyncGenerator<ObjectState> {
    const path = this.#path(source);
    if (!existsSync(path)) return;
    const file = createReadStream(path);
    try {
      for await (const line of createInterface({ input: file, crlfDelay: Infinity })) {
        const [key, bits] = line.split('\t') as [string, string];
        yield { key, current: Array.from(bits, (bit) => bit === '1') };
      }
    } finally {
      file.destroy();
    }
  }

  #path(source: number): string {
    return join(this.#folder, `${source}.objects`);
  }
}

import { LakeNotFound } from '../../src/errors.js';
import type { Lake, LakeObject } from '../../src/providers/lake.js';

/** A lake in memory that keeps bytes, and fails when a test asks it to. */
export class ObjectLake implements Lake {
  readonly uri: string;
  readonly objects = new Map<string, { readonly body: Uint8Array; readonly writtenAt: Date }>();
  /** Keys in the order of the calls, kept ones included. */
  readonly puts: string[] = [];
  readonly gets: string[] = [];
  readonly faults: {
    put?: (key: string) => Promise<void>;
    get?: (key: string) => Promise<void>;
  } = {};

  constructor(uri = 'memory://lake') {
    this.uri = uri;
  }

  async put(key: string, body: Uint8Array): Promise<'written' | 'kept'> {
    this.puts.push(key);
    await this.faults.put?.(key);
    if (this.objects.has(key)) return 'kept';
    this.objects.set(key, { body, writtenAt: new Date() });
    return 'written';
  }

  async get(key: string): Promise<AsyncIterable<Uint8Array>> {
    this.gets.push(key);
    await this.faults.get?.(key);
    const found = this.objects.get(key);
    if (found === undefined) throw new LakeNotFound(`there is no object ${key}`, { key });
    return inTwo(found.body);
  }

  async *list(prefix: string, after = ''): AsyncGenerator<LakeObject> {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after);
    for (const key of keys.sort()) {
      const { body, writtenAt } = this.objects.get(key)!;
      yield await Promise.resolve({ key, bytes: body.length, writtenAt });
    }
  }

  remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.objects.delete(key);
    return Promise.resolve();
  }

  check(): Promise<[]> {
    return Promise.resolve([]);
  }
}

async function* inTwo(body: Uint8Array): AsyncGenerator<Uint8Array> {
  const half = Math.floor(body.length / 2);
  yield await Promise.resolve(body.subarray(0, half));
  yield body.subarray(half);
}

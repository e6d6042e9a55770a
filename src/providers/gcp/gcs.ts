import type { Lake, LakeObject } from '../lake.js';
import { checkOptions } from '../options.js';
import type { Provider } from '../provider.js';
import type { Provisioned } from '../provision.js';
import type { Finding } from '../queue.js';
import { Bucket } from './gcs-bucket.js';
import { checkBucket } from './gcs-check.js';
import { list } from './gcs-listing.js';
import { gcsSchema, type GcsOptions } from './gcs-options.js';
import { provisionBucket } from './gcs-provision.js';
import { read } from './gcs-read.js';
import { remove } from './gcs-remove.js';
import { write } from './gcs-write.js';

/**
 * A lake that is a bucket of Google Cloud Storage. Any number of processes may use it at once. The first call connects.
 *
 * @example
 * ```ts
 * lake: gcs({ bucket: 'my-events', location: 'europe-west1' })
 * ```
 */
export function gcs(options: GcsOptions): Provider<Lake> {
  const checked = checkOptions(gcsSchema, options);
  return {
    name: 'gcs',
    kind: 'lake',
    problems: checked.problems,
    open: (place) => new GcsLake(new Bucket(checked.of(place))),
  };
}

export class GcsLake implements Lake {
  readonly uri: string;
  readonly #bucket: Bucket;

  constructor(bucket: Bucket) {
    this.uri = bucket.uri;
    this.#bucket = bucket;
  }

  put(key: string, body: Uint8Array): Promise<'written' | 'kept'> {
    return write(this.#bucket, key, body);
  }

  get(key: string): Promise<AsyncIterable<Uint8Array>> {
    return read(this.#bucket, key);
  }

  list(prefix: string, after = ''): AsyncIterable<LakeObject> {
    return list(this.#bucket, prefix, after);
  }

  remove(keys: readonly string[]): Promise<void> {
    return remove(this.#bucket, keys);
  }

  check(): Promise<readonly Finding[]> {
    return checkBucket(this.#bucket, this);
  }

  provision(how: 'plan' | 'apply'): Promise<readonly Provisioned[]> {
    return provisionBucket(this.#bucket, how);
  }
}

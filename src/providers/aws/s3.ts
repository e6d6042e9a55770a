import type { Lake, LakeObject } from '../lake.js';
import { checkOptions } from '../options.js';
import type { Provider } from '../provider.js';
import type { Provisioned } from '../provision.js';
import type { Finding } from '../queue.js';
import { Bucket } from './s3-bucket.js';
import { checkBucket } from './s3-check.js';
import { list } from './s3-listing.js';
import { s3Schema, type S3Options } from './s3-options.js';
import { provisionBucket } from './s3-provision.js';
import { read } from './s3-read.js';
import { remove } from './s3-remove.js';
import { write } from './s3-write.js';

/**
 * A lake that is a bucket of S3, or of a store that speaks its API and keeps to conditional puts (`catchment check` finds
 * out). Any number of processes may use it at once. The first call connects.
 *
 * @example
 * ```ts
 * lake: s3({ bucket: 'my-events', region: 'eu-west-1' })
 * ```
 */
export function s3(options: S3Options): Provider<Lake> {
  const checked = checkOptions(s3Schema, options);
  return {
    name: 's3',
    kind: 'lake',
    problems: checked.problems,
    open: (place) => new S3Lake(new Bucket(checked.of(place))),
  };
}

export class S3Lake implements Lake {
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

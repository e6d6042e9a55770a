import type { S3 } from '@aws-sdk/client-s3';

import { LakeNotFound, type CatchmentError } from '../../errors.js';
import { checkKey, longestKey } from '../lake-keys.js';
import type { S3Settings } from './s3-options.js';
import { clientOptions, sdkError, unavailable, type Patience } from './sdk.js';

/** The largest object, 64 MB, takes a slow line minutes; a socket on which nothing moves is found out much sooner. */
const patience: Patience = { longestMs: 300_000, silenceMs: 30_000 };

/** A bucket as every call of the lake needs it. */
export class Bucket {
  readonly settings: S3Settings;
  readonly name: string;
  /** What all keys begin with; empty or with a "/" at its end. */
  readonly prefix: string;
  readonly uri: string;
  readonly #patience: Patience;
  #client: Promise<S3> | undefined;

  constructor(settings: S3Settings, given: Patience = patience) {
    this.settings = settings;
    this.name = settings.bucket;
    this.prefix = settings.prefix;
    this.uri = `s3://${this.name}/${this.prefix}`.replace(/\/$/, '');
    this.#patience = given;
  }

  /** The SDK is read at the first call: it takes a while, and a pipeline of embedded parts never needs it. */
  client(): Promise<S3> {
    this.#client ??= this.#connect().catch((error: unknown) => {
      this.#client = undefined;
      throw this.failure(error, 'opening the lake', '');
    });
    return this.#client;
  }

  /** What to ask the store for. Throws `LakeKeyRefused`. */
  at(key: string): { Bucket: string; Key: string } {
    this.check(key);
    return { Bucket: this.name, Key: this.prefix + key };
  }

  check(key: string): void {
    checkKey(key, longestKey - this.prefix.length);
  }

  /** `doing`: `writing raw/…`. */
  failure(error: unknown, doing: string, permission: string, key?: string): CatchmentError {
    const where = key === undefined ? {} : { key };
    return unavailable(error, { doing: `${doing} (${this.uri})`, permission }, where);
  }

  /**
   * The store answered that there is no such object. A missing bucket says otherwise, and so does AWS where this process
   * may not list the bucket: it must not look as if an object were gone.
   */
  isNotFound(error: unknown): boolean {
    return sdkError(error).name === 'NoSuchKey';
  }

  notFound(key: string): LakeNotFound {
    return new LakeNotFound(`the lake has no object ${key}`, { key });
  }

  async #connect(): Promise<S3> {
    const { S3 } = await import('@aws-sdk/client-s3');
    const { region, endpoint, pathStyle } = this.settings;
    return new S3({
      ...clientOptions(this.#patience),
      // It costs a connection of its own for each object over 2 MB.
      expectContinueHeader: false,
      forcePathStyle: pathStyle,
      ...(region !== undefined && { region }),
      ...(endpoint !== undefined && { endpoint }),
    });
  }
}

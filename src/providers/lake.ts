import type { Provisioned } from './provision.js';
import type { Finding } from './queue.js';

export interface LakeObject {
  readonly key: string;
  readonly bytes: number;
  /** When the object became durable, by the store's own clock. */
  readonly writtenAt: Date;
}

/** Objects, written once under a key, never changed. */
export interface Lake {
  /** Names the lake in references: the same for every process that opens it, without credentials. */
  readonly uri: string;
  /** Whole or not at all, durable when resolved, bytes as given. Key taken: `kept`, the first stays. */
  put(key: string, body: Uint8Array): Promise<'written' | 'kept'>;
  /** Throws `LakeNotFound`; the caller checks the hash. Any other failure is `Unavailable`. */
  get(key: string): Promise<AsyncIterable<Uint8Array>>;
  /** In key order (by UTF-8 bytes), strictly after `after`; shows every put that resolved before the call. */
  list(prefix: string, after?: string): AsyncIterable<LakeObject>;
  /** Removes what is there; a key that is not there is no error. */
  remove(keys: readonly string[]): Promise<void>;
  check(): Promise<readonly Finding[]>;
  /**
   * Makes what the lake needs where it is to be made first; 'plan' changes nothing. Resolves with what was, or would be,
   * done: nothing, where all is as wanted. Throws `Unavailable`.
   */
  provision?(how: 'plan' | 'apply'): Promise<readonly Provisioned[]>;
}

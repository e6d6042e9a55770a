import { Unavailable } from '../errors.js';
import { compareBytes } from './byte-order.js';
import { folderOfPrefix, reservedFolder } from './lake-keys.js';
import type { LakeObject } from './lake.js';

/** One answer of a store that lists in order of the keys' bytes. */
export interface Page {
  readonly objects: readonly LakeObject[];
  /** Where the next one begins; undefined at the end. */
  readonly next?: string | undefined;
}

/** A listing of a store that answers in pages. */
export interface Paged {
  /** Throws `LakeKeyRefused` for a prefix that no key begins with. */
  readonly prefix: string;
  /** A store that begins with this key itself is forgiven. */
  readonly after: string;
  /** Of the lake, for people. */
  readonly uri: string;
  readonly pageAt: (next: string | undefined) => Promise<Page>;
}

/**
 * The objects of all pages. While one page is worked on, the next is on its way, and no other: who wants the first objects
 * alone pays for one request. Throws `Unavailable` where the store does not list in order.
 */
export async function* inPages({ prefix, after, uri, pageAt }: Paged): AsyncGenerator<LakeObject> {
  folderOfPrefix(prefix);
  let before: string | undefined;
  let page = await pageAt(undefined);
  for (;;) {
    const { objects, next } = page;
    let ahead: Promise<Page> | undefined;
    for (const object of objects) {
      const { key } = object;
      if (before !== undefined && compareBytes(before, key) >= 0)
        throw new Unavailable(
          `listing ${prefix} (${uri}): the store does not list in order of bytes; use one that does`,
        );
      before = key;
      if (key === after || key.startsWith(`${reservedFolder}/`)) continue;
      yield object;
      if (next === undefined || ahead !== undefined) continue;
      ahead = pageAt(next);
      // Whoever leaves before it comes does not hear that it failed.
      ahead.catch(() => undefined);
    }
    if (next === undefined) return;
    page = await (ahead ?? pageAt(next));
  }
}

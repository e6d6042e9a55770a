import { Unavailable } from '../../errors.js';
import { compareBytes } from '../byte-order.js';
import { folderOfPrefix, reservedFolder } from '../lake-keys.js';
import type { LakeObject } from '../lake.js';
import type { Bucket } from './gcs-bucket.js';

interface Page {
  readonly objects: readonly LakeObject[];
  /** Where the next one begins; undefined at the end. */
  readonly next?: string;
}

/** What is asked for of the service's answer. */
interface Answer {
  readonly items?: readonly { readonly name?: string; readonly size?: string; readonly timeCreated?: string }[];
  readonly nextPageToken?: string;
}

/**
 * The objects whose key begins with `prefix` and comes after `after`, in order of the keys' bytes. While one page is
 * worked on, the next is on its way, and no other: who wants the first objects alone pays for one request.
 */
export async function* list(bucket: Bucket, prefix: string, after: string): AsyncGenerator<LakeObject> {
  folderOfPrefix(prefix);
  let page = await pageOf(bucket, prefix, { after });
  for (;;) {
    const { next } = page;
    let ahead: Promise<Page> | undefined;
    for (const object of page.objects) {
      yield object;
      if (next === undefined || ahead !== undefined) continue;
      ahead = pageOf(bucket, prefix, { after, next });
      // Whoever leaves before it comes does not hear that it failed.
      ahead.catch(() => undefined);
    }
    if (next === undefined) return;
    page = await (ahead ?? pageOf(bucket, prefix, { after, next }));
  }
}

async function pageOf(bucket: Bucket, prefix: string, from: { after: string; next?: string }): Promise<Page> {
  const doing = `listing ${prefix}`;
  const query = {
    maxResults: '1000',
    fields: 'items(name,size,timeCreated),nextPageToken',
    prefix: bucket.prefix + prefix,
    startOffset: from.after === '' ? undefined : bucket.prefix + from.after,
    pageToken: from.next,
  };
  const { items = [], nextPageToken } = await bucket.calls
    .json({ method: 'GET', path: `${bucket.path}/o`, query })
    .then(
      (answer) => answer as Answer,
      (error: unknown) => {
        throw bucket.failure(error, doing, 'storage.objects.list');
      },
    );
  const objects = items.map(({ name, size, timeCreated }): LakeObject => {
    if (name === undefined || size === undefined || timeCreated === undefined)
      throw new Unavailable(`${doing} (${bucket.uri}): the store lists an object without its name, size or time`);
    return { key: name.slice(bucket.prefix.length), bytes: Number(size), writtenAt: new Date(timeCreated) };
  });
  for (const [index, { key }] of objects.entries()) {
    if (index > 0 && compareBytes(objects[index - 1]!.key, key) >= 0)
      throw new Unavailable(`${doing} (${bucket.uri}): the store does not list in order of bytes; use one that does`);
  }
  return {
    // The service begins with `after` itself.
    objects: objects.filter(({ key }) => key !== from.after && !key.startsWith(`${reservedFolder}/`)),
    ...(nextPageToken !== undefined && nextPageToken !== '' && { next: nextPageToken }),
  };
}

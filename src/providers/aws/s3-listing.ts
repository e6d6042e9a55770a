import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';

import { Unavailable } from '../../errors.js';
import { compareBytes } from '../byte-order.js';
import { folderOfPrefix } from '../lake-keys.js';
import type { LakeObject } from '../lake.js';
import type { Bucket } from './s3-bucket.js';

interface Page {
  readonly objects: readonly LakeObject[];
  /** Where the next one begins; undefined at the end. */
  readonly next?: string;
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
  const client = await bucket.client();
  const doing = `listing ${prefix}`;
  let reply: ListObjectsV2CommandOutput;
  try {
    reply = await client.listObjectsV2({
      Bucket: bucket.name,
      Prefix: bucket.prefix + prefix,
      // XML has no way to write most control characters.
      EncodingType: 'url',
      ...(from.next !== undefined && { ContinuationToken: from.next }),
      ...(from.next === undefined && from.after !== '' && { StartAfter: bucket.prefix + from.after }),
    });
  } catch (error) {
    throw bucket.failure(error, doing, 's3:ListBucket');
  }
  const decode = reply.EncodingType === 'url' ? decodeKey : (key: string) => key;
  const objects = (reply.Contents ?? []).map(({ Key, Size, LastModified }): LakeObject => {
    if (Key === undefined || Size === undefined || LastModified === undefined)
      throw new Unavailable(`${doing} (${bucket.uri}): the store lists an object without its key, size or time`);
    return { key: decode(Key).slice(bucket.prefix.length), bytes: Size, writtenAt: LastModified };
  });
  for (const [index, { key }] of objects.entries()) {
    if (index > 0 && compareBytes(objects[index - 1]!.key, key) >= 0)
      throw new Unavailable(`${doing} (${bucket.uri}): the store does not list in order of bytes; use one that does`);
  }
  if (reply.IsTruncated !== true) return { objects };
  if (reply.NextContinuationToken === undefined)
    throw new Unavailable(`${doing} (${bucket.uri}): the store says that there is more, and not how to ask for it`);
  return { objects, next: reply.NextContinuationToken };
}

/** As forms are encoded: a space is "+". */
function decodeKey(key: string): string {
  return decodeURIComponent(key.replaceAll('+', ' '));
}

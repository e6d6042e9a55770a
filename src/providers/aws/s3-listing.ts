import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';

import { Unavailable } from '../../errors.js';
import { inPages, type Page } from '../lake-pages.js';
import type { LakeObject } from '../lake.js';
import type { Bucket } from './s3-bucket.js';

/** The objects whose key begins with `prefix` and comes after `after`, in order of the keys' bytes. */
export function list(bucket: Bucket, prefix: string, after: string): AsyncIterable<LakeObject> {
  const pageAt = (next: string | undefined): Promise<Page> => pageOf(bucket, prefix, after, next);
  return inPages({ prefix, after, uri: bucket.uri, pageAt });
}

async function pageOf(bucket: Bucket, prefix: string, after: string, next: string | undefined): Promise<Page> {
  const client = await bucket.client();
  const doing = `listing ${prefix}`;
  let reply: ListObjectsV2CommandOutput;
  try {
    reply = await client.listObjectsV2({
      Bucket: bucket.name,
      Prefix: bucket.prefix + prefix,
      // XML has no way to write most control characters.
      EncodingType: 'url',
      ...(next !== undefined && { ContinuationToken: next }),
      ...(next === undefined && after !== '' && { StartAfter: bucket.prefix + after }),
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
  if (reply.IsTruncated !== true) return { objects };
  if (reply.NextContinuationToken === undefined)
    throw new Unavailable(`${doing} (${bucket.uri}): the store says that there is more, and not how to ask for it`);
  return { objects, next: reply.NextContinuationToken };
}

/** As forms are encoded: a space is "+". */
function decodeKey(key: string): string {
  return decodeURIComponent(key.replaceAll('+', ' '));
}

import { Unavailable } from '../../errors.js';
import { inPages, type Page } from '../lake-pages.js';
import type { LakeObject } from '../lake.js';
import type { Bucket } from './gcs-bucket.js';

/** What is asked for of the service's answer. */
interface Answer {
  readonly items?: readonly { readonly name?: string; readonly size?: string; readonly timeCreated?: string }[];
  readonly nextPageToken?: string;
}

/** The objects whose key begins with `prefix` and comes after `after`, in order of the keys' bytes. */
export function list(bucket: Bucket, prefix: string, after: string): AsyncIterable<LakeObject> {
  const pageAt = (next: string | undefined): Promise<Page> => pageOf(bucket, prefix, after, next);
  return inPages({ prefix, after, uri: bucket.uri, pageAt });
}

async function pageOf(bucket: Bucket, prefix: string, after: string, next: string | undefined): Promise<Page> {
  const doing = `listing ${prefix}`;
  const query = {
    maxResults: '1000',
    fields: 'items(name,size,timeCreated),nextPageToken',
    prefix: bucket.prefix + prefix,
    startOffset: after === '' ? undefined : bucket.prefix + after,
    pageToken: next,
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
  return { objects, next: nextPageToken === '' ? undefined : nextPageToken };
}

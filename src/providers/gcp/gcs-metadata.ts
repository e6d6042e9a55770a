import type { BucketMetadata } from '@google-cloud/storage';

import type { Bucket } from './gcs-bucket.js';

/** The bucket's own settings. Throws `Unavailable`. */
export async function metadataOf(bucket: Bucket): Promise<BucketMetadata> {
  try {
    return (await bucket.calls.json({ method: 'GET', path: bucket.path })) as BucketMetadata;
  } catch (error) {
    throw bucket.failure(error, `looking at the bucket ${bucket.name}`, 'storage.buckets.get');
  }
}

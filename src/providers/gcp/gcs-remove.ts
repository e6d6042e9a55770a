import { Unavailable, type CatchmentError } from '../../errors.js';
import type { Bucket } from './gcs-bucket.js';
import { ErrorAnswer } from './gcs-http.js';

/** Removes what is there of the keys; the bucket's pace says how many at once. */
export async function remove(bucket: Bucket, keys: readonly string[]): Promise<void> {
  const objects = [...new Set(keys)].map((key) => ({ key, path: bucket.objectPath(key) }));
  const failures = await Promise.all(objects.map(({ key, path }) => removeOne(bucket, key, path)));
  const [first, ...others] = failures.filter((failure) => failure !== undefined);
  if (first === undefined) return;
  if (others.length === 0) throw first;
  throw new Unavailable(`${first.message}; and so with ${others.length} more`, first.where);
}

async function removeOne(bucket: Bucket, key: string, path: string): Promise<CatchmentError | undefined> {
  try {
    await bucket.calls.json({ method: 'DELETE', path });
    return undefined;
  } catch (error) {
    if (error instanceof ErrorAnswer && error.code === 404) return undefined;
    return bucket.failure(error, `removing ${key}`, 'storage.objects.delete', key);
  }
}

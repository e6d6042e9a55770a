import { Unavailable } from '../../errors.js';
import type { Bucket } from './s3-bucket.js';
import { sdkError } from './sdk.js';

const atOnce = 1_000;
/** What XML has no way to write, so that a request for many keys cannot name it. */
const beyondXml = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** Removes what is there of the keys. */
export async function remove(bucket: Bucket, keys: readonly string[]): Promise<void> {
  for (const key of keys) bucket.check(key);
  const plain = keys.filter((key) => !beyondXml.test(key));
  for (let from = 0; from < plain.length; from += atOnce) await removeMany(bucket, plain.slice(from, from + atOnce));
  for (const key of keys) if (beyondXml.test(key)) await removeOne(bucket, key);
}

async function removeMany(bucket: Bucket, keys: readonly string[]): Promise<void> {
  const client = await bucket.client();
  const doing = keys.length === 1 ? `removing ${keys[0]!}` : `removing ${keys.length} objects`;
  try {
    const { Errors = [] } = await client.deleteObjects({
      Bucket: bucket.name,
      Delete: { Quiet: true, Objects: keys.map((key) => ({ Key: bucket.prefix + key })) },
    });
    const failed = Errors.filter(({ Code }) => Code !== 'NoSuchKey');
    const [first] = failed;
    if (first === undefined) return;
    const key = first.Key?.slice(bucket.prefix.length) ?? keys[0]!;
    throw new Unavailable(
      bucket.failure({ name: first.Code }, `removing ${key}`, 's3:DeleteObject').message +
        (failed.length > 1 ? `; and so with ${failed.length - 1} more` : ''),
      { key },
    );
  } catch (error) {
    throw bucket.failure(error, doing, 's3:DeleteObject');
  }
}

async function removeOne(bucket: Bucket, key: string): Promise<void> {
  const client = await bucket.client();
  try {
    await client.deleteObject(bucket.at(key));
  } catch (error) {
    if (sdkError(error).name !== 'NoSuchKey') throw bucket.failure(error, `removing ${key}`, 's3:DeleteObject', key);
  }
}

import { randomUUID } from 'node:crypto';

import type { S3 } from '@aws-sdk/client-s3';

import { Unavailable } from '../../src/errors.js';
import { Bucket } from '../../src/providers/aws/s3-bucket.js';
import type { S3Settings } from '../../src/providers/aws/s3-options.js';
import { S3Lake } from '../../src/providers/aws/s3.js';
import { sdkError, type Patience } from '../../src/providers/aws/sdk.js';
import { s3Endpoint } from '../standins/aws.js';
import { said } from '../standins/faults/aws-errors.js';

const made = new Set<string>();

/** A bucket of a new name, which need not be there; `removeBuckets` removes it. */
export function bucketAt(endpoint: string, more: Partial<S3Settings> = {}, patience?: Patience): Bucket {
  const settings = { bucket: `catchment-${randomUUID()}`, prefix: '', region: 'us-east-1', pathStyle: true, ...more };
  made.add(settings.bucket);
  return new Bucket({ ...settings, endpoint }, patience);
}

/** A new bucket, its lake and the SDK's own client. */
export async function newLake(
  endpoint: string,
  more: Partial<S3Settings> = {},
  patience?: Patience,
): Promise<{ lake: S3Lake; bucket: Bucket; client: S3 }> {
  const bucket = bucketAt(endpoint, more, patience);
  const client = await bucket.client();
  await client.createBucket({ Bucket: bucket.name });
  return { lake: new S3Lake(bucket), bucket, client };
}

/** At the end of a file of tests: SeaweedFS sets space aside for each bucket, and soon has none left. */
export async function removeBuckets(): Promise<void> {
  const client = await bucketAt(await s3Endpoint()).client();
  for (const Bucket of made) {
    try {
      for (;;) {
        const { Versions = [], DeleteMarkers = [] } = await client.listObjectVersions({ Bucket });
        const Objects = [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => ({ Key, VersionId }));
        if (Objects.length === 0) break;
        await client.deleteObjects({ Bucket, Delete: { Objects } });
      }
      await client.deleteBucket({ Bucket });
    } catch (error) {
      // It was never made.
      if (sdkError(error).name !== 'NoSuchBucket') throw error;
    }
  }
  made.clear();
}

/** What it throws is `Unavailable`, and holds nothing that the store quoted. */
export async function failureOf(call: Promise<unknown>): Promise<Error> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Unavailable);
  expect((error as Error).message).not.toContain(said);
  return error as Error;
}

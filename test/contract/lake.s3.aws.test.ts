import { randomUUID } from 'node:crypto';

import { s3 } from '../../src/providers/aws/s3.js';
import type { Lake } from '../../src/providers/lake.js';
import { bucketAt, removeBuckets } from '../aws/s3-lakes.js';
import { s3Endpoint } from '../standins/aws.js';
import { lakeContract } from './lake.js';

// One for all lakes, each beneath a prefix of its own.
let bucket: string;

async function openUnder(prefix: string): Promise<Lake> {
  return s3({ bucket, prefix, region: 'us-east-1', endpoint: await s3Endpoint() }).open({
    pipeline: 'test',
    dataDir: '.catchment',
    part: 'lake',
  });
}

describe('a bucket', () => {
  beforeAll(async () => {
    bucket = bucketAt(await s3Endpoint()).name;
    await (
      await openUnder('')
    ).provision!('apply');
  });
  afterAll(removeBuckets);

  lakeContract({
    name: 's3 on SeaweedFS',
    open: openUnder,
    longestKey: 1_024 - `${randomUUID()}/`.length,
    skip: [
      // SeaweedFS refuses them, with InvalidRequest.
      'takes keys with backslashes',
      // It keeps folders, and lists app/ before app-eu/; to start after "app" leaves out the whole folder app/.
      'keeps sources apart whose names begin alike',
      'orders any keys by their bytes, after any key, of any prefix',
    ],
  });
});

import { randomUUID } from 'node:crypto';

import { s3 } from '../../src/providers/aws/s3.js';
import type { Lake } from '../../src/providers/lake.js';
import { bucketAt, removeBuckets, upstream } from '../s3-lakes.js';
import { lakeContract } from './lake.js';

// One for all lakes, each beneath a prefix of its own.
const bucket = upstream === undefined ? '' : bucketAt(upstream).name;

function openUnder(prefix: string): Lake {
  return s3({ bucket, prefix, region: 'us-east-1', endpoint: upstream! }).open({
    pipeline: 'test',
    dataDir: '.catchment',
    part: 'lake',
  });
}

const suite = upstream === undefined ? describe.skip : describe;

suite('a bucket', () => {
  beforeAll(async () => {
    await openUnder('').provision!('apply');
  });
  afterAll(removeBuckets);

  lakeContract({
    name: 's3 on SeaweedFS',
    open: (name) => Promise.resolve(openUnder(name)),
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

import { randomUUID } from 'node:crypto';

import { s3 } from '../../src/providers/aws/s3.js';
import type { Lake } from '../../src/providers/lake.js';
import { lakeContract } from './lake.js';

// What stands in for S3 is started by who runs the tests.
const endpoint = process.env['CATCHMENT_TEST_S3'];
const bucket = `catchment-${randomUUID()}`;

function openUnder(prefix: string): Lake {
  return s3({ bucket, prefix, region: 'us-east-1', endpoint: endpoint! }).open({
    pipeline: 'test',
    dataDir: '.catchment',
    part: 'lake',
  });
}

const suite = endpoint === undefined ? describe.skip : describe;

suite('a bucket', () => {
  beforeAll(async () => {
    process.env['AWS_ACCESS_KEY_ID'] ??= 'test';
    process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test';
    await openUnder('').provision!('apply');
  });

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

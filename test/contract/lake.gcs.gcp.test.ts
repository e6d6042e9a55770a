import { randomUUID } from 'node:crypto';

import type { Lake } from '../../src/providers/lake.js';
import { gcs } from '../../src/providers/gcp/gcs.js';
import { gcsEndpoint } from '../standins/gcp.js';
import { lakeContract } from './lake.js';

// One for all lakes, each beneath a prefix of its own.
const bucket = `catchment-${randomUUID()}`;

async function openUnder(prefix: string): Promise<Lake> {
  return gcs({ bucket, prefix, location: 'EU', endpoint: await gcsEndpoint() }).open({
    pipeline: 'test',
    dataDir: '.catchment',
    part: 'lake',
  });
}

describe('a bucket', () => {
  beforeAll(async () => {
    await (
      await openUnder('')
    ).provision!('apply');
  });

  lakeContract({
    name: 'gcs on fake-gcs-server',
    open: openUnder,
    longestKey: 1_024 - `${randomUUID()}/`.length,
    refused: /[\r\n]/,
  });
});

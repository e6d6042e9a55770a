import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { localQueue } from '../../src/providers/local/queue.js';
import { queueContract } from './queue.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'queue-'));
});
afterAll(() => rm(folder, { recursive: true }));

queueContract({
  name: 'local queue',
  open: (which) => Promise.resolve(localQueue().open({ pipeline: 'test', dataDir: folder, part: which })),
  minLeaseMs: 100,
});

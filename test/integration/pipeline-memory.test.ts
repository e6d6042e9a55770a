import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { until } from '../until.js';
import { PipelineFolder } from './pipeline-folder.js';

const events = 1_000;
const bytes = 1_000_000;

/** The source has a backlog of 1 GB; bytes are held from the receive until they are in the lake. */
const config = `import { writeFileSync } from 'node:fs';
import { defineConfig, folderLake } from 'catchment';

const body = Buffer.alloc(${bytes}, 'x');
let handedOut = 0;
let [held, most, acknowledged] = [0, 0, 0];

const source = {
  name: 'backlog',
  open: (place) => ({
    limits: { messageBytes: 1e7, receiveMessages: 10, receiveBytes: 1e7, leaseMs: 60_000 },
    async receive({ waitMs, signal }) {
      const count = Math.min(10, ${events} - handedOut);
      if (count === 0) {
        await new Promise((resolve) => {
          const timer = setTimeout(resolve, waitMs);
          signal.addEventListener('abort', () => (clearTimeout(timer), resolve()));
        });
        return [];
      }
      held += count * ${bytes};
      most = Math.max(most, held);
      return Array.from({ length: count }, () => {
        const id = String(handedOut++);
        return { id, receipt: id, body: Uint8Array.from(body), attributes: {}, sentAt: new Date() };
      });
    },
    async acknowledge(receipts) {
      acknowledged += receipts.length;
      if (acknowledged === ${events}) writeFileSync(place.dataDir + '/most', String(most));
      return receipts.map(() => ({ status: 'done' }));
    },
    extend: async (receipts) => receipts.map(() => ({ status: 'done' })),
    close: async () => undefined,
  }),
};

const lake = folderLake();
export default defineConfig({
  pipeline: 'test',
  sources: { app: source },
  lake: {
    ...lake,
    open(place) {
      const opened = lake.open(place);
      const put = opened.put.bind(opened);
      opened.put = async (key, object) => {
        const outcome = await put(key, object);
        held -= Number(/_(\\d+)_/.exec(key)?.[1] ?? 0) * ${bytes};
        return outcome;
      };
      return opened;
    },
  },
  tables: [],
  lease: '30s',
  freshness: '1s',
});
`;

let pipeline: PipelineFolder;
beforeAll(async () => {
  pipeline = new PipelineFolder();
  await pipeline.open({ 'catchment.config.ts': config });
}, 60_000);
afterAll(() => pipeline.close(), 60_000);

test('with a backlog of 1 GB a poller holds at most 48 MB that are not in the lake', async () => {
  pipeline.start('worker');
  pipeline.start('poll');
  const most = join(pipeline.dataDir, 'most');
  await until('all acknowledged', () => existsSync(most), 240_000).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}\n${pipeline.output}`);
  });
  expect(Number(readFileSync(most, 'utf8'))).toBeLessThanOrEqual(48_000_000);
  expect(Number(readFileSync(most, 'utf8'))).toBeGreaterThan(10_000_000);
  let stored = 0;
  for await (const { key } of pipeline.lake.list('raw/')) stored += Number(/_(\d+)_/.exec(key)![1]);
  expect(stored).toBe(events);
}, 300_000);

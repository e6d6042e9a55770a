import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { runCli, startCli } from '../run-cli.js';
import { until } from '../until.js';
import { scrape, servedAt } from './scrape.js';

const config = `
import { defineConfig, defineTable } from 'catchment';
import { z } from 'zod';
const visits = defineTable('visits', { row: z.object({ n: z.int() }), rows: () => [] });
export default defineConfig({ pipeline: 'app', tables: [visits] });
`;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'catchment-metrics-'));
  writeFileSync(join(folder, 'catchment.config.ts'), config);
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('a port that is taken, or cannot be listened on, ends the process with a message', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const taken = `127.0.0.1:${(other.address() as AddressInfo).port}`;
  const [worker, poll, elsewhere, nonsense] = await Promise.all([
    runCli(['worker', '--metrics-port', taken], folder),
    runCli(['poll', '--metrics-port', taken, '--json'], folder),
    runCli(['poll', '--metrics-port', '192.0.2.1:9464'], folder),
    runCli(['worker', '--metrics-port', 'localhost'], folder),
  ]);
  other.close();
  expect(worker).toMatchObject({ status: 1, stdout: '' });
  expect(worker.stderr).toBe(`error: --metrics-port ${taken}: the port is taken; name another, or 0 for a free one\n`);
  expect(poll.status).toBe(1);
  expect(JSON.parse(poll.stdout)).toMatchObject({ error: { type: 'Occupied' } });
  expect(elsewhere.status).toBe(2);
  expect(elsewhere.stderr).toContain('--metrics-port 192.0.2.1:9464: it cannot be listened on');
  expect(nonsense.status).toBe(2);
  expect(nonsense.stderr).toContain('--metrics-port: write a port such as 9464');
}, 120_000);

test('metrics are served, and go on counting, while Temporal cannot be reached', async () => {
  const worker = startCli(['worker', '--supervised', '--metrics-port', '127.0.0.1:0'], { cwd: folder });
  let log = '';
  worker.stderr!.setEncoding('utf8').on('data', (text: string) => (log += text));
  try {
    const url = await until('its port', () => servedAt(log, 'worker'), 60_000);
    await until('an attempt at Temporal', () => log.includes('waiting for Temporal'), 60_000);
    // An attempt every half a second: each would end the exporter, and begin the counts anew, if nothing kept it.
    let last = 0;
    await until('four seconds counted', async () => {
      const seen = await scrape(url);
      const counted = seen.value('catchment_event_loop_lag_seconds_count', { pipeline: 'app' }) ?? 0;
      expect(counted).toBeGreaterThanOrEqual(last);
      last = counted;
      return counted >= 4;
    });
  } finally {
    worker.stdin!.end();
  }
  expect((await worker.result).status).toBe(0);
}, 120_000);

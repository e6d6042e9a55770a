import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { endChildren, startChild } from './child.js';

const deadlineMs = 3000;
const config = `import { defineConfig } from 'catchment';
export default defineConfig({ pipeline: 'test', tables: './tables.ts' });
`;
/** Its `rows` says in a file that it began, and is busy until there is another. */
const tables = `import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { defineTable } from 'catchment';
import { z } from 'zod';

export const busy = defineTable('busy', {
  row: z.object({ n: z.int() }),
  rows: () => {
    appendFileSync(join(import.meta.dirname, 'began'), '.');
    while (!existsSync(join(import.meta.dirname, 'go')));
    return { n: 1 };
  },
});
`;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'transform-'));
  await writeFile(join(dir, 'catchment.config.ts'), config);
  await writeFile(join(dir, 'tables.ts'), tables);
});
afterEach(async () => {
  await endChildren();
  await rm(dir, { recursive: true });
});

test('a process that is paused for longer than the deadline rejects nobody, and tries nothing again', async () => {
  const child = startChild(join(import.meta.dirname, 'transform-pause-child.ts'), dir, String(deadlineMs));
  while (!existsSync(join(dir, 'began'))) await sleep(10);
  // The watch has seen it in hand.
  await sleep(500);
  process.kill(child.pid, 'SIGSTOP');
  await sleep(deadlineMs + 500);
  process.kill(child.pid, 'SIGCONT');
  // Still in hand when the watch looks again.
  await sleep(500);
  await writeFile(join(dir, 'go'), '');
  expect(await child.says('done')).toBe('done [1,0]');
  expect(readFileSync(join(dir, 'began'), 'utf8')).toBe('.');
});

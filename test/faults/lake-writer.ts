import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';

import { folderLake } from '../../src/providers/local/lake.js';
import { randomFrom } from './random.js';

/** Writes to a lake until it is killed, and says on stdout what it begins and, once it is durable, what it has done. */
const [dataDir, seed] = process.argv.slice(2) as [string, string];
const random = randomFrom(Number(seed));
const lake = folderLake().open({ pipeline: 'faults', dataDir, part: 'lake' });

/** A body that proves itself whole: the hash of the rest stands at its beginning. */
function selfProving(): Buffer {
  const rest = Buffer.alloc(Math.floor(random() ** 3 * 1_500_000), `${seed} ${random()}`);
  return Buffer.concat([createHash('sha256').update(rest).digest(), rest]);
}

async function writeForEver(): Promise<never> {
  for (;;) {
    const number = Math.floor(random() * 150);
    // Keys that several writers fight for; and passing ones, whose folder vanishes whenever it is empty.
    const stays = random() < 0.8;
    const key = stays ? `raw/app/hr=${number % 7}/${number}.gz` : `load/${number % 2}/${seed}-${number}.gz`;
    const body = selfProving();
    writeSync(1, `begun ${key}\n`);
    const outcome = await lake.put(key, body);
    if (stays) writeSync(1, `${outcome} ${key} ${body.toString('hex', 0, 32)}\n`);
    else await lake.remove([key]);
  }
}

await Promise.all([writeForEver(), writeForEver(), writeForEver()]);

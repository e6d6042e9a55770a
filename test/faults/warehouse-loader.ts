import { writeSync } from 'node:fs';

import { rejectRefused } from '../../src/activities/refused.js';
import { RowsRefused } from '../../src/errors.js';
import { newId } from '../../src/ids.js';
import { duckdb } from '../../src/providers/local/duckdb.js';
import { folderLake } from '../../src/providers/local/lake.js';
import { stageLoad, stored, type Batch } from '../contract/warehouse-loads.js';
import { randomFrom } from './random.js';
import { copyOf, loaderTable } from './warehouse-events.js';

/**
 * Loads batches of events, many of them copies of others' events, until it is killed, and says on stdout what is done:
 * `loading BATCH N N N …` with the numbers of the batch's events, `loaded BATCH`.
 */
const [dataDir, seed] = process.argv.slice(2) as [string, string];
const never = new AbortController().signal;
const random = randomFrom(Number(seed));
const place = (part: string) => ({ pipeline: 'faults', dataDir, part });
const warehouse = duckdb().open(place('warehouse'));
const lake = folderLake().open(place('lake'));
const say = (line: string): unknown => writeSync(1, `${line}\n`);
process.stdin.resume().on('end', () => process.exit());

await warehouse.migrate([loaderTable(1)], 'apply');
say('ready');
for (;;) {
  const version = 1 + Math.floor(random() * 2);
  const batches = Array.from({ length: 1 + Math.floor(random() * 3) }, (): Batch & { numbers: number[] } => {
    const numbers = Array.from({ length: 1 + Math.floor(random() * 300) }, () => Math.floor(random() * 3_000));
    return { batch: newId(), numbers, copies: numbers.map((number) => copyOf(number, version)) };
  });
  for (const { batch, numbers } of batches) say(`loading ${batch} ${numbers.join(' ')}`);
  const existing = random() < 0.7 ? 'keep' : 'replace';
  const objects = await Promise.all(batches.map((batch) => stored(lake, batch)));
  const load = await stageLoad(lake, loaderTable(version), existing, objects);
  await warehouse.load(load, lake, never).catch(async (error: unknown) => {
    if (!(error instanceof RowsRefused)) throw error;
    const files = { lake, staging: lake, folder: `load/${newId()}/loaded/` };
    const rest = await rejectRefused(load, warehouse, files, never);
    await warehouse.load(rest.load, lake, never);
  });
  for (const { batch } of batches) say(`loaded ${batch}`);
}

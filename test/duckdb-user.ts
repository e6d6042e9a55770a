import { createInterface } from 'node:readline';

import { duckdb } from '../src/providers/local/duckdb.js';
import { folderLake } from '../src/providers/local/lake.js';
import type { Load, TableShape } from '../src/providers/warehouse.js';

/** Calls the warehouse of the folder of its first argument, as lines of stdin ask: `[call, …arguments]`; tells the answers. */
const dataDir = process.argv[2]!;
const place = (part: string) => ({ pipeline: 'app', dataDir, part });
const warehouse = duckdb().open(place('warehouse'));
const lake = folderLake().open(place('lake'));
const calls = {
  migrate: (shape: TableShape) => warehouse.migrate([shape], 'apply'),
  load: (load: Load) => warehouse.load(load, lake, new AbortController().signal),
  async query(sql: string) {
    const rows = [];
    for await (const row of warehouse.query(sql)) rows.push(row);
    return rows;
  },
  close: () => warehouse.close(),
};

for await (const line of createInterface(process.stdin)) {
  const [call, argument] = JSON.parse(line) as [keyof typeof calls, never];
  const answer: unknown = await (calls[call] as (argument: never) => Promise<unknown>)(argument).catch(
    (error: unknown) => ({ error: (error as Error).message }),
  );
  console.log(`${call} ${JSON.stringify(answer ?? null)}`);
}
process.exit();

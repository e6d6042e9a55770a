import { duckdb } from '../../src/providers/local/duckdb.js';
import type { Place } from '../../src/providers/provider.js';

/** What a query answers, by whoever has the warehouse of `dataDir` open. */
export async function warehouseRows(dataDir: string, sql: string): Promise<Record<string, unknown>[]> {
  const place: Place = { pipeline: 'any', dataDir, part: 'warehouse' };
  const warehouse = duckdb().open(place);
  try {
    const rows = [];
    for await (const row of warehouse.query(sql)) rows.push(row);
    return rows;
  } finally {
    await warehouse.close();
  }
}

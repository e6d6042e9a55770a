import { TableMissing } from '../errors.js';
import type { Warehouse } from '../providers/warehouse.js';
import type { Table } from '../tables.js';
import type { OwedTable } from './compare.js';

/** Since when each table owes what is stored; those that the warehouse does not have are `absent`, with the reason. */
export async function owedTables(
  warehouse: Pick<Warehouse, 'owesFrom'>,
  tables: readonly Table[],
): Promise<{ owed: OwedTable[]; absent: Map<string, string> }> {
  const owed: OwedTable[] = [];
  const absent = new Map<string, string>();
  for (const table of tables) {
    try {
      const recorded = await warehouse.owesFrom(table.name);
      owed.push({ shape: table.shape, owesFrom: table.since ?? recorded });
    } catch (error) {
      if (!(error instanceof TableMissing)) throw error;
      absent.set(table.name, `the warehouse has no table ${table.name}; make it with catchment migrate`);
    }
  }
  return { owed, absent };
}

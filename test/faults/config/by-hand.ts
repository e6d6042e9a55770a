import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { DuckDBInstance } from '@duckdb/node-api';
import type { Provider, Warehouse } from 'catchment';

const statementFile = (dataDir: string): string => join(dataDir, 'by-hand.sql');

/** Has the process that loads let somebody change its database by hand; it is done when `isDone`. */
export function changeByHand(dataDir: string, sql: string): { readonly isDone: () => boolean } {
  writeFileSync(statementFile(dataDir), sql);
  return { isDone: () => !existsSync(statementFile(dataDir)) };
}

/** A DuckDB that, before a load, is let go of for as long as another has it open to run what the file says. */
export function openToHands(provider: Provider<Warehouse>): Provider<Warehouse> {
  return {
    ...provider,
    open(place) {
      let warehouse = provider.open(place);
      let changing: Promise<void> | undefined;
      const change = async (): Promise<void> => {
        await warehouse.close();
        await run(join(place.dataDir, 'warehouse.duckdb'), readFileSync(statementFile(place.dataDir), 'utf8'));
        warehouse = provider.open(place);
        rmSync(statementFile(place.dataDir));
      };
      const load: Warehouse['load'] = async (...args) => {
        if (existsSync(statementFile(place.dataDir))) changing ??= change().finally(() => (changing = undefined));
        await changing;
        return warehouse.load(...args);
      };
      return new Proxy({} as Warehouse, {
        get(_, name) {
          if (name === 'load') return load;
          const own: unknown = Reflect.get(warehouse, name);
          return typeof own === 'function' ? (own.bind(warehouse) as unknown) : own;
        },
      });
    },
  };
}

async function run(file: string, sql: string): Promise<void> {
  for (;;) {
    try {
      const instance = await DuckDBInstance.create(file);
      const connection = await instance.connect();
      await connection.run(sql);
      connection.closeSync();
      instance.closeSync();
      return;
    } catch (error) {
      // A query of another process may have the file for a moment.
      if (!/lock/i.test(String(error))) throw error;
      await sleep(50);
    }
  }
}

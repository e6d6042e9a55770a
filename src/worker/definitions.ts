import { dirname } from 'node:path';

import type { Dependencies } from '../activities/index.js';
import { loadTables } from '../config/load.js';
import type { Settings } from '../config/settings.js';
import type { Warehouse } from '../providers/warehouse.js';
import type { Table } from '../tables.js';

/**
 * The user's tables as this worker knows them, loaded and migrated when they are first needed. A mistake in them fails
 * what needs them, with the error, and nothing else; each later call tries anew, so that a mended file is enough.
 */
export function definitions(
  settings: Settings,
  warehouse: Warehouse,
  migrate: boolean,
): Pick<Dependencies, 'tables' | 'shapes' | 'forgetTables'> {
  const tables = untilDone(() => loadTables(settings));
  const migrated = untilDone(async () => {
    const shapes = (await tables.get()).map((table: Table) => table.shape);
    if (migrate) await warehouse.migrate(shapes, 'apply');
    return shapes;
  });
  return {
    tables: tables.get,
    shapes: migrated.get,
    forgetTables() {
      tables.forget();
      migrated.forget();
    },
  };
}

/** One call at a time; what it gave is kept until it is forgotten, what it threw is not. */
function untilDone<Result>(work: () => Promise<Result>): {
  readonly get: () => Promise<Result>;
  readonly forget: () => void;
} {
  let current: Promise<Result> | undefined;
  const forget = (): void => (current = undefined);
  const get = (): Promise<Result> =>
    (current ??= work().catch((error: unknown) => {
      forget();
      throw error;
    }));
  return { get, forget };
}

/** Where a transform thread finds the config: it imports it anew, functions cannot be sent to it. */
export function configPlace(settings: Settings): { config: string; dir: string } {
  return { config: settings.file, dir: dirname(settings.dataDir) };
}

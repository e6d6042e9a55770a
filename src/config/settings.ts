import type { Lake } from '../providers/lake.js';
import type { Provider } from '../providers/provider.js';
import type { Queue } from '../providers/queue.js';
import type { Warehouse } from '../providers/warehouse.js';
import type { Table } from '../tables.js';

/** A config as the rest of the program works with it: checked, defaults filled in, durations in milliseconds. */
export interface Settings {
  readonly pipeline: string;
  readonly sources: Readonly<Record<string, Provider<Queue>>>;
  readonly lake: Provider<Lake>;
  readonly secondary: Provider<Queue>;
  readonly warehouse: Provider<Warehouse>;
  /** Load files' own lake, where the warehouse cannot read the pipeline's. */
  readonly staging?: Provider<Lake>;
  /** An absolute path (imported only by who needs tables), or the tables themselves. */
  readonly tables: string | readonly Table[];
  readonly freshnessMs: number;
  readonly leaseMs: number;
  readonly patienceMs: number;
  readonly dedupeMs: number;
  readonly surviveMs: number;
  readonly reconcileEveryMs: number;
  /** The config file, absolute. */
  readonly file: string;
  /** `.catchment` of `--dir`, absolute. */
  readonly dataDir: string;
}

/** All providers that the settings name. */
export function providersOf(
  settings: Pick<Settings, 'sources' | 'lake' | 'secondary' | 'warehouse' | 'staging'>,
): readonly Provider<unknown>[] {
  const { sources, lake, secondary, warehouse, staging } = settings;
  return [...Object.values(sources), lake, secondary, warehouse, ...(staging === undefined ? [] : [staging])];
}

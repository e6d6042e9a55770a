import type { Client } from '@temporalio/client';

import type { Settings } from '../config/settings.js';
import type { Parts } from '../open.js';
import type { TableShape } from '../providers/warehouse.js';
import type { ReconcileReport } from '../reconcile/report.js';
import type { Table } from '../tables.js';
import type { Transformer } from '../transform/transformer.js';
import { createCompare } from './compare.js';
import { createDiscards } from './discard.js';
import { withTypedFailures } from './failures.js';
import { createHandOver } from './hand-over.js';
import { createLoads } from './load.js';
import { createNextPage } from './next-page.js';
import { createRelay } from './relay.js';
import { createTransform } from './transform.js';
import type { WorkerActivities } from './types.js';

/** All that the worker's activities reach the world through. */
export interface Dependencies {
  readonly settings: Settings;
  readonly parts: Parts;
  readonly transformer: Transformer;
  readonly temporal: Client;
  readonly taskQueue: string;
  /** The user's tables. Throws `ConfigError` where they are wrong, and tries anew on the next call. */
  tables(): Promise<readonly Table[]>;
  /** Their shapes, once the warehouse has them. Throws what stands in the way: the tables' or the migration's error. */
  shapes(): Promise<readonly TableShape[]>;
  /** The user changed the tables: the next call loads and makes them anew. */
  forgetTables(): void;
  /** A comparison ended so. */
  readonly onReconciled?: (report: ReconcileReport) => void;
}

export function createActivities(dependencies: Dependencies): WorkerActivities {
  return withTypedFailures<WorkerActivities>({
    relay: createRelay(dependencies),
    transform: createTransform(dependencies),
    ...createLoads(dependencies),
    handOver: createHandOver(dependencies),
    nextPage: createNextPage(dependencies),
    compare: createCompare(dependencies),
    ...createDiscards(dependencies),
  });
}

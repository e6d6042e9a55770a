/** The ids by which people and processes find each other's work in Temporal. */

export const workflowId = {
  ingest: (pipeline: string, source: string, batch: string) => `ingest/${pipeline}/${source}/${batch}`,
  load: (pipeline: string, load: string) => `load/${pipeline}/${load}`,
  backfill: (pipeline: string, table: string) => `backfill/${pipeline}/${table}`,
  reconcile: (pipeline: string) => `reconcile/${pipeline}`,
} as const;

/** The workflows that `status --wait` waits for, as prefixes of their ids; reconcile runs for ever on its schedule. */
export function workPrefixes(pipeline: string): string[] {
  return [`ingest/${pipeline}/`, `load/${pipeline}/`, `backfill/${pipeline}/`];
}

/** What finds the running ones among them, in Temporal's list filter. */
export function runningQuery(prefixes: readonly string[]): string {
  return `ExecutionStatus = 'Running' AND (${prefixes.map((prefix) => `WorkflowId STARTS_WITH '${prefix}'`).join(' OR ')})`;
}

/** Of comparisons, as prefixes of their ids; one of these begins those of the pipeline `app-eu` too: see `isComparison`. */
export function comparisonPrefixes(pipeline: string): string[] {
  return [`${workflowId.reconcile(pipeline)}-`, `${workflowId.reconcile(pipeline)}/`];
}

/** Whether the id is of a comparison of this very pipeline: a schedule puts the time behind the id it is given. */
export function isComparison(pipeline: string, id: string): boolean {
  const own = workflowId.reconcile(pipeline);
  return id.startsWith(own) && /^(\/.*|-\d{4}-\d\d-\d\dT[\d:.]+Z)$/.test(id.slice(own.length));
}

export function scheduleId(pipeline: string): string {
  return `reconcile/${pipeline}`;
}

/**
 * The workers' task queue. It carries the data folder's own identity where there is one, not its name: a stale task of a
 * folder that is gone would be retried for ever by the workers of another at the same path.
 */
export function taskQueue(pipeline: string, dataId: string | undefined): string {
  return dataId === undefined ? `catchment/${pipeline}` : `catchment/${pipeline}/${dataId}`;
}

/** The task queue of the one poller process that holds a batch's bytes and receipts. */
export function pollerTaskQueue(pipeline: string, processId: string): string {
  return `catchment/${pipeline}/poller/${processId}`;
}

export const searchAttribute = {
  pipeline: 'CatchmentPipeline',
  source: 'CatchmentSource',
  tables: 'CatchmentTables',
} as const;

/**
 * What a load has for its tables until the transform has told them. Two values: of all types only that of a list takes
 * them, so that a server on which the attribute has another type refuses the start and not, for ever, what follows.
 */
export const tablesNotKnown = ['all tables', 'not transformed yet'] as const;

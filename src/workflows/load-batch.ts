import {
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  uuid4,
} from '@temporalio/workflow';

import type { LoadInput, ObjectToLoad, PlannedLoad, WorkerActivities } from '../activities/types.js';
import { discard, forever, heartbeatTimeout, quick } from './activities.js';
import { rangeOf } from './ranges.js';

export interface LoadBatchInput {
  readonly objects: readonly ObjectToLoad[];
  /** How long a table may hold up the doorbells before its backfill takes over, in milliseconds. */
  readonly patienceMs: number;
}

export interface LoadBatchResult {
  readonly loaded: number;
  readonly handedOver: readonly string[];
}

/** Lake objects into every table; a table that cannot take them is handed over to its backfill, the others go on. */
export async function loadBatch({ objects, patienceMs }: LoadBatchInput): Promise<LoadBatchResult> {
  const load = uuid4();
  const events = objects.reduce((sum, object) => sum + object.events, 0);
  const { transform } = proxyActivities<WorkerActivities>({
    startToCloseTimeout: '10m',
    // No table is known before it, so none can be handed over: in the end the doorbells go back and ring again.
    scheduleToCloseTimeout: patienceMs,
    heartbeatTimeout,
    retry: forever,
  });
  const live = proxyActivities<WorkerActivities>({
    startToCloseTimeout: patienceMs,
    scheduleToCloseTimeout: patienceMs,
    heartbeatTimeout,
    retry: { initialInterval: '3s', backoffCoefficient: 2, maximumAttempts: 3 },
  });

  const { planned, failed, folder } = await transform.executeWithOptions(
    { summary: `transform ${events} events of ${objects.length} objects` },
    [{ load, objects, tables: 'all', existing: 'keep' }],
  );
  const errors = new Map(failed.map(({ table, error }) => [table, error]));
  const input = ({ table, plan }: PlannedLoad): LoadInput => ({ load, table, plan, live: true });

  const loadTable = async (one: PlannedLoad): Promise<void> => {
    try {
      const summary = `load ${one.rows} rows, ${one.rejections} rejections into ${one.table}`;
      await live.load.executeWithOptions({ summary }, [input(one)]);
    } catch (error) {
      errors.set(one.table, failureOf(error));
    }
  };
  const loadRest = async (rest: readonly PlannedLoad[]): Promise<void> => {
    if (rest.length === 0) return;
    try {
      const summary = `note ${rest.length} tables that these events do not concern`;
      const outcomes = await live.loadEmpty.executeWithOptions({ summary }, [{ loads: rest.map(input) }]);
      for (const { table, error } of outcomes) if (error !== undefined) errors.set(table, error);
    } catch (error) {
      for (const { table } of rest) errors.set(table, failureOf(error));
    }
  };
  const concerned = planned.filter(({ rows, rejections }) => rows + rejections > 0);
  const rest = planned.filter((one) => !concerned.includes(one));
  await Promise.all([...concerned.map(loadTable), loadRest(rest)]);

  const range = rangeOf(objects);
  await Promise.all(
    [...errors].map(([table, error]) =>
      quick.handOver.executeWithOptions({ summary: `hand ${table} over to its backfill: ${error.slice(0, 150)}` }, [
        { table, range },
      ]),
    ),
  );
  setCurrentDetails(describe(planned, errors, events));
  await discard({ folder }).catch(() => undefined);
  return { loaded: planned.length - errors.size, handedOver: [...errors.keys()] };
}

/** What the activity itself said; a cancellation or a bug of ours is no table's failure. */
function failureOf(error: unknown): string {
  if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
  return error.cause instanceof ApplicationFailure ? error.cause.message : (error.cause?.message ?? error.message);
}

function describe(planned: readonly PlannedLoad[], errors: ReadonlyMap<string, string>, events: number): string {
  const lines = planned
    .filter(({ table }) => !errors.has(table))
    .map(({ table, rows, rejections }) => `- ${table}: ${rows} rows, ${rejections} rejections`);
  const handed = [...errors].map(([table, error]) => `- ${table}: handed over to its backfill (${error})`);
  return [`${events} events`, ...lines, ...handed].join('\n').slice(0, 8_000);
}

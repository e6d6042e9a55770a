import { ApplicationFailure, proxyActivities, setCurrentDetails, uuid4 } from '@temporalio/workflow';

import {
  loadFilesGone,
  type LoadInput,
  type ObjectToLoad,
  type PlannedLoad,
  type WorkerActivities,
} from '../activities/types.js';
import { discard, forever, heartbeatTimeout, quick } from './activities.js';
import { failureOf } from './failures.js';
import { nameTables } from './name-tables.js';
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

/** A table is handed over after so many failed loads. */
const attempts = 3;
/** So often the objects are transformed because load files were gone; then the doorbells ring again. */
const mostTransforms = 3;

/** Lake objects into every table; a table that cannot take them is handed over to its backfill, the others go on. */
export async function loadBatch({ objects, patienceMs }: LoadBatchInput): Promise<LoadBatchResult> {
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
    retry: { initialInterval: '3s', backoffCoefficient: 2, maximumAttempts: attempts },
  });
  const loaded = new Map<string, PlannedLoad>();
  const errors = new Map<string, string>();

  let tables: readonly string[] | 'all' = 'all';
  for (let round = 1; tables.length > 0; round++) {
    if (round > mostTransforms) {
      throw ApplicationFailure.nonRetryable(`the load files of ${tables.length} tables are gone, again and again`);
    }
    tables = await transformAndLoad(tables);
  }

  const range = rangeOf(objects);
  await Promise.all(
    [...errors].map(([table, error]) =>
      quick.handOver.executeWithOptions({ summary: `hand ${table} over to its backfill: ${error.slice(0, 150)}` }, [
        { table, range },
      ]),
    ),
  );
  setCurrentDetails(describe(loaded, errors, events));
  return { loaded: loaded.size, handedOver: [...errors.keys()] };

  /** Returns the tables whose load files are gone: no fault of theirs, and no load can bring the files back. */
  async function transformAndLoad(asked: readonly string[] | 'all'): Promise<readonly string[]> {
    const load = uuid4();
    const lost: string[] = [];
    const { planned, failed, folder } = await transform.executeWithOptions(
      { summary: `transform ${events} events of ${objects.length} objects` },
      [{ load, objects, tables: asked, existing: 'keep' }],
    );
    for (const { table, error } of failed) errors.set(table, error);
    const input = ({ table, plan }: PlannedLoad): LoadInput => ({ load, table, plan, live: true });
    const note = (one: PlannedLoad, error: string | undefined, filesGone: boolean): void => {
      if (filesGone) lost.push(one.table);
      else if (error === undefined) loaded.set(one.table, one);
      else errors.set(one.table, error);
    };

    const loadTable = async (one: PlannedLoad): Promise<void> => {
      try {
        const summary = `load ${one.rows} rows, ${one.rejections} rejections into ${one.table}`;
        await live.load.executeWithOptions({ summary }, [input(one)]);
        note(one, undefined, false);
      } catch (error) {
        const { message, type } = failureOf(error);
        note(one, message, type === loadFilesGone);
      }
    };
    const loadRest = async (rest: readonly PlannedLoad[]): Promise<void> => {
      if (rest.length === 0) return;
      try {
        const summary = `note ${rest.length} tables that these events do not concern`;
        const outcomes = await live.loadEmpty.executeWithOptions({ summary }, [{ loads: rest.map(input), attempts }]);
        outcomes.forEach(({ error, filesGone }, index) => note(rest[index]!, error, filesGone === true));
      } catch (error) {
        const { message } = failureOf(error);
        for (const one of rest) note(one, message, false);
      }
    };
    const concerned = planned.filter(({ rows, rejections }) => rows + rejections > 0);
    const rest = planned.filter((one) => !concerned.includes(one));
    if (asked === 'all') nameTables([...concerned, ...failed].map(({ table }) => table));
    await Promise.all([...concerned.map(loadTable), loadRest(rest)]);
    await discard({ folder }).catch(() => undefined);
    return lost;
  }
}

function describe(
  loaded: ReadonlyMap<string, PlannedLoad>,
  errors: ReadonlyMap<string, string>,
  events: number,
): string {
  const lines = [...loaded.values()].map(
    ({ table, rows, rejections }) => `- ${table}: ${rows} rows, ${rejections} rejections`,
  );
  const handed = [...errors].map(([table, error]) => `- ${table}: handed over to its backfill (${error})`);
  return [`${events} events`, ...lines, ...handed].join('\n').slice(0, 8_000);
}

import { ApplicationFailure, proxyActivities, setCurrentDetails, uuid4 } from '@temporalio/workflow';

import {
  loadFilesGone,
  type LoadInput,
  type LoadWithoutRefused,
  type ObjectToLoad,
  type PlannedLoad,
  type WorkerActivities,
} from '../activities/types.js';
import { count, counted } from '../amounts.js';
import { discard, forever, heartbeatTimeout, quick } from './activities.js';
import { failureOf } from './failures.js';
import { linesOf, loadTable } from './load-table.js';
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
  const what = `${counted(events, 'event')} of ${counted(objects.length, 'lake object')}`;
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
  const loaded = new Map<string, LoadWithoutRefused>();
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
  return { loaded: loaded.size, handedOver: [...errors.keys()] };

  /** Returns the tables whose load files are gone: no fault of theirs, and no load can bring the files back. */
  async function transformAndLoad(asked: readonly string[] | 'all'): Promise<readonly string[]> {
    const load = uuid4();
    const waiting = new Set<string>();
    const lost: string[] = [];
    setCurrentDetails(`${what}: being transformed`);
    const { planned, failed, folder } = await transform.executeWithOptions({ summary: `transform ${what}` }, [
      { load, objects, tables: asked, existing: 'keep' },
    ]);
    for (const { table, error } of failed) errors.set(table, error);
    for (const { table } of planned) waiting.add(table);
    const tell = (): void => setCurrentDetails(describe(what, loaded, waiting, errors));
    const note = (table: string, end: { done: LoadWithoutRefused } | { error: string; filesGone: boolean }): void => {
      waiting.delete(table);
      if ('done' in end) loaded.set(table, end.done);
      else if (end.filesGone) lost.push(table);
      else errors.set(table, end.error);
      tell();
    };

    const loadConcerned = async (one: PlannedLoad): Promise<void> => {
      try {
        note(one.table, { done: await loadTable(live, one, { load, live: true }) });
      } catch (error) {
        const { message, type } = failureOf(error);
        note(one.table, { error: message, filesGone: type === loadFilesGone });
      }
    };
    const loadRest = async (rest: readonly PlannedLoad[]): Promise<void> => {
      if (rest.length === 0) return;
      const loads = rest.map(({ table, plan }): LoadInput => ({ load, table, plan, live: true }));
      try {
        const summary = `note ${counted(rest.length, 'table')} that these events do not concern`;
        const outcomes = await live.loadEmpty.executeWithOptions({ summary }, [{ loads, attempts }]);
        outcomes.forEach(({ table, error, filesGone = false }, index) => {
          note(table, error === undefined ? { done: { ...rest[index]!, refused: 0 } } : { error, filesGone });
        });
      } catch (error) {
        for (const { table } of rest) note(table, { error: failureOf(error).message, filesGone: false });
      }
    };
    const concerned = planned.filter(({ rows, rejections }) => rows + rejections > 0);
    const rest = planned.filter((one) => !concerned.includes(one));
    if (asked === 'all') nameTables([...concerned, ...failed].map(({ table }) => table));
    tell();
    await Promise.all([...concerned.map(loadConcerned), loadRest(rest)]);
    await discard({ folder }).catch(() => undefined);
    return lost;
  }
}

function describe(
  what: string,
  loaded: ReadonlyMap<string, LoadWithoutRefused>,
  waiting: ReadonlySet<string>,
  errors: ReadonlyMap<string, string>,
): string {
  const lines = [...loaded.values()].map((one) => {
    const refused = one.refused === 0 ? '' : `, ${count(one.refused)} of them since only the warehouse refuses them`;
    return `- ${one.table}: ${linesOf(one)}${refused}`;
  });
  const loading = [...waiting].map((table) => `- ${table}: being loaded`);
  const handed = [...errors].map(([table, error]) => `- ${table}: handed over to its backfill (${error})`);
  return [what, ...handed, ...loading, ...lines].join('\n').slice(0, 8_000);
}

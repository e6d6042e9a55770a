import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';

import pLimit, { type LimitFunction } from 'p-limit';

import { LakeCorrupt, LakeNotFound, RowsRefused } from '../errors.js';
import { newId } from '../ids.js';
import type { LoadResult } from '../providers/warehouse.js';
import { toFailure } from './failures.js';
import { withHeartbeat } from './heartbeat.js';
import type { Dependencies } from './index.js';
import { readPlan, stagePlan } from './plans.js';
import { rejectRefused } from './refused.js';
import { Troubles } from './troubles.js';
import {
  loadFilesGone,
  type LoadInput,
  type LoadWithoutRefused,
  type PlannedLoad,
  type TableLoadOutcome,
  type WorkerActivities,
} from './types.js';

const tableFailing = 'TableFailing';

export function createLoads({
  settings,
  parts,
}: Dependencies): Pick<WorkerActivities, 'load' | 'rejectRefused' | 'loadEmpty'> {
  const { lake, staging, warehouse } = parts;
  const troubles = new Troubles(settings.patienceMs);
  /** By table: of the loads that wait for it at most one is a backfill's, so that a live one soon has its turn. */
  const unhurried = new Map<string, LimitFunction>();

  /**
   * `fault`: whether an error, other than that load files are gone, says something against the table. `live`: a load that
   * was given up after a long time does so too; a backfill's may have been paused.
   */
  async function watched<Result>(
    table: string,
    signal: AbortSignal,
    work: () => Promise<Result>,
    { live, fault }: { live: boolean; fault: (error: unknown) => boolean },
  ): Promise<Result> {
    try {
      return await troubles.watch(table, signal, work, (error, slow) =>
        signal.aborted ? live && slow : !areFilesGone(error) && fault(error),
      );
    } catch (error) {
      if (!areFilesGone(error)) throw error;
      throw ApplicationFailure.nonRetryable(`${table}: ${error.message}`, loadFilesGone);
    }
  }

  async function loadTable({ table, plan, live }: LoadInput, signal: AbortSignal): Promise<LoadResult> {
    const trouble = live && Context.current().info.attempt === 1 ? troubles.of(table) : undefined;
    if (trouble !== undefined) {
      throw ApplicationFailure.nonRetryable(`${table}: ${trouble}; backfill loads it`, tableFailing);
    }
    const load = async (): Promise<LoadResult> => warehouse.load(await readPlan(staging, plan), staging, signal);
    // Refused rows may be a few events' fault alone, which must not keep the next loads away.
    const watch = () => watched(table, signal, load, { live, fault: (error) => !(error instanceof RowsRefused) });
    if (live) return watch();
    const turn = unhurried.get(table) ?? pLimit(1);
    unhurried.set(table, turn);
    return turn(watch);
  }

  async function withoutRefused({ table, plan, rows, rejections }: PlannedLoad, signal: AbortSignal) {
    // Beside the plan, so that the load's end removes it too; of its own, since an attempt that was paused may still write.
    const folder = `${plan.key.slice(0, plan.key.lastIndexOf('/'))}/refused/${newId()}/`;
    const search = async (): Promise<LoadWithoutRefused> => {
      const found = await rejectRefused(await readPlan(staging, plan), warehouse, { lake, staging, folder }, signal);
      return {
        table,
        plan: await stagePlan(staging, folder, found.load),
        rows: rows - found.rowsLess,
        rejections: rejections + found.rejectionsMore,
        refused: found.events,
      };
    };
    return watched(table, signal, search, { live: false, fault: () => true });
  }

  return {
    load: (input) => withHeartbeat((signal) => loadTable(input, signal)),

    rejectRefused: ({ planned }) => withHeartbeat((signal) => withoutRefused(planned, signal)),

    loadEmpty: ({ loads, attempts }) =>
      withHeartbeat(async (signal) => {
        const failures = await Promise.all(
          loads.map((input) =>
            loadTable(input, signal).then(
              () => undefined,
              (error: unknown) => toFailure(error),
            ),
          ),
        );
        signal.throwIfAborted();
        const again = failures.find((failure) => failure?.nonRetryable === false);
        // What is loaded by now is nothing to do in the next attempt.
        if (again !== undefined && Context.current().info.attempt < attempts) throw again;
        return loads.map(({ table }, index): TableLoadOutcome => {
          const failure = failures[index];
          if (failure === undefined) return { table };
          return { table, error: failure.message, ...(failure.type === loadFilesGone && { filesGone: true }) };
        });
      }),
  };
}

/** A staged file has vanished or is not what was written: its objects are transformed again, the table is not to blame. */
function areFilesGone(error: unknown): error is LakeNotFound | LakeCorrupt {
  return error instanceof LakeNotFound || error instanceof LakeCorrupt;
}

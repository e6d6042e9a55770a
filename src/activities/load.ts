import { hash } from 'node:crypto';

import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';

import { LakeCorrupt, LakeNotFound } from '../errors.js';
import type { Lake } from '../providers/lake.js';
import type { Load, LoadResult, StagedFile } from '../providers/warehouse.js';
import { toFailure } from './failures.js';
import { withHeartbeat } from './heartbeat.js';
import type { Dependencies } from './index.js';
import { readWhole } from './read-object.js';
import { Troubles } from './troubles.js';
import { loadFilesGone, type LoadInput, type TableLoadOutcome, type WorkerActivities } from './types.js';

const tableFailing = 'TableFailing';

export function createLoads({ parts }: Dependencies): Pick<WorkerActivities, 'load' | 'loadEmpty'> {
  const troubles = new Troubles();

  async function loadTable({ table, plan, live }: LoadInput, signal: AbortSignal): Promise<LoadResult> {
    const trouble = live && Context.current().info.attempt === 1 ? troubles.of(table) : undefined;
    if (trouble !== undefined) {
      throw ApplicationFailure.nonRetryable(`${table}: ${trouble}; backfill loads it`, tableFailing);
    }
    const load = async (): Promise<LoadResult> =>
      parts.warehouse.load(await readPlan(parts.staging, plan), parts.staging, signal);
    try {
      return await troubles.watch(table, signal, load, (error) => !signal.aborted && !areFilesGone(error));
    } catch (error) {
      if (!areFilesGone(error)) throw error;
      throw ApplicationFailure.nonRetryable(`${table}: ${error.message}`, loadFilesGone);
    }
  }

  return {
    load: (input) => withHeartbeat((signal) => loadTable(input, signal)),

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

async function readPlan(staging: Lake, { key, sha256 }: StagedFile): Promise<Load> {
  const body = await readWhole(staging, key);
  if (hash('sha256', body) !== sha256) throw new LakeCorrupt(`${key}: not the plan that was staged`, { key });
  return JSON.parse(body.toString('utf8')) as Load;
}

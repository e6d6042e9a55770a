import { hash } from 'node:crypto';

import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';

import { describeError, LakeCorrupt } from '../errors.js';
import type { Lake } from '../providers/lake.js';
import type { Load, LoadResult, StagedFile } from '../providers/warehouse.js';
import { withHeartbeat } from './heartbeat.js';
import type { Dependencies } from './index.js';
import type { LoadInput, TableLoadOutcome, WorkerActivities } from './types.js';

/** How long after a table's failure later live loads hand it over without trying. */
const failureFreshMs = 30_000;

export function createLoads({ parts }: Dependencies): Pick<WorkerActivities, 'load' | 'loadEmpty'> {
  const failedAt = new Map<string, number>();

  async function loadTable({ table, plan }: LoadInput, signal: AbortSignal): Promise<LoadResult> {
    try {
      const result = await parts.warehouse.load(await readPlan(parts.staging, plan), parts.staging, signal);
      failedAt.delete(table);
      return result;
    } catch (error) {
      failedAt.set(table, Date.now());
      throw error;
    }
  }

  function giveWay({ table, live }: LoadInput): void {
    const last = failedAt.get(table);
    if (!live || Context.current().info.attempt > 1 || last === undefined || Date.now() - last > failureFreshMs) return;
    throw ApplicationFailure.nonRetryable(
      `${table}: its last load failed a moment ago; backfill loads it`,
      'TableFailing',
    );
  }

  return {
    load: (input) =>
      withHeartbeat(async (signal) => {
        giveWay(input);
        return loadTable(input, signal);
      }),

    loadEmpty: ({ loads }) =>
      withHeartbeat((signal) =>
        Promise.all(
          loads.map(async (input): Promise<TableLoadOutcome> => {
            try {
              giveWay(input);
              await loadTable(input, signal);
              return { table: input.table };
            } catch (error) {
              return {
                table: input.table,
                error: error instanceof ApplicationFailure ? error.message : describeError(error),
              };
            }
          }),
        ),
      ),
  };
}

async function readPlan(staging: Lake, { key, sha256 }: StagedFile): Promise<Load> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await staging.get(key)) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (hash('sha256', body) !== sha256) throw new LakeCorrupt(`${key}: not the plan that was staged`, { key });
  return JSON.parse(body.toString('utf8')) as Load;
}

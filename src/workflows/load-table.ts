import type { proxyActivities } from '@temporalio/workflow';

import {
  rowsRefused,
  type LoadInput,
  type LoadWithoutRefused,
  type PlannedLoad,
  type WorkerActivities,
} from '../activities/types.js';
import { counted } from '../amounts.js';
import { failureOf } from './failures.js';

type Activities = Pick<ReturnType<typeof proxyActivities<WorkerActivities>>, 'load' | 'rejectRefused'>;

/** So often a load is freed of refused events; a table that still refuses some changes while it is loaded. */
const mostRounds = 3;

/**
 * Loads a plan into its table; the events that only the warehouse refuses are found and rejected, so that they cost
 * nothing but themselves. Returns the plan that was loaded, and whether anything came of it; throws the failure of an
 * activity.
 */
export async function loadTable(
  activities: Activities,
  planned: PlannedLoad,
  how: Pick<LoadInput, 'load' | 'live'>,
): Promise<LoadWithoutRefused & { readonly changed: boolean }> {
  let current: LoadWithoutRefused = { ...planned, refused: 0 };
  for (let round = 0; ; round++) {
    const { table, plan, rows } = current;
    try {
      const summary = `load ${linesOf(current)} → ${table}`;
      const result = await activities.load.executeWithOptions({ summary }, [{ ...how, table, plan }]);
      return { ...current, changed: result.rows + result.removed + result.rejected + result.cleared > 0 };
    } catch (error) {
      if (failureOf(error).type !== rowsRefused || round === mostRounds) throw error;
    }
    const summary = `find the events that ${table} refuses, among ${counted(rows, 'row')}`;
    const rest = await activities.rejectRefused.executeWithOptions({ summary }, [{ planned: current }]);
    current = { ...rest, refused: current.refused + rest.refused };
  }
}

/** `4,213 rows, 1 rejection`. */
export function linesOf({ rows, rejections }: PlannedLoad): string {
  return `${counted(rows, 'row')}, ${counted(rejections, 'rejection')}`;
}

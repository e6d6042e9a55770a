import pLimit from 'p-limit';

import { comparisonPrefixes, isComparison, runningQuery, workflowId, workPrefixes } from '../names.js';
import type { Commands } from './commands.js';
import { withHistory } from './history.js';
import { pendingOf, timeOf } from './pending.js';
import type { Stuck, StuckReport } from './report.js';
import type { Run, TemporalReader } from './temporal-reader.js';

/** So many workflows are asked about at once. */
const together = 8;

/** What of a pipeline does not go on, among the `limit` workflows that run longest. */
export async function findStuck(
  temporal: TemporalReader,
  commands: Commands,
  { pipeline, limit }: { readonly pipeline: string; readonly limit: number },
): Promise<StuckReport> {
  const { running, oldest } = await listRunning(temporal, pipeline, limit);
  const several = pLimit(together);
  const found = await Promise.all(oldest.map((run) => several(() => stuckIn(temporal, run))));
  const stuck = found.flat().map((one): Stuck => {
    const table = one.table ?? tableOfBackfill(pipeline, one.workflowId);
    return { ...one, ...(table !== undefined && { table }), command: commands.of(one) };
  });
  return {
    pipeline,
    workflows: { running, lookedAt: oldest.length },
    stuck: stuck.sort((a, b) => compare(a.since ?? '', b.since ?? '')),
  };
}

async function stuckIn(temporal: TemporalReader, run: Run): Promise<Omit<Stuck, 'command'>[]> {
  const description = await temporal.describe(run);
  // What is listed may have ended.
  if (description === undefined || description.workflowExecutionInfo?.closeTime) return [];
  const pending = pendingOf(description, Date.now());
  if (pending.length === 0) return [];
  const whole = await withHistory(pending, temporal.historyBackwards(run));
  return whole.map((one) => ({ ...run, ...one }));
}

/** Counts all that run, and names those that have run longest. */
async function listRunning(
  temporal: TemporalReader,
  pipeline: string,
  limit: number,
): Promise<{ running: number; oldest: Run[] }> {
  const comparison = workflowId.reconcile(pipeline);
  let running = 0;
  let oldest: (Run & { readonly startedAt: string })[] = [];
  for await (const page of temporal.list(runningQuery([...workPrefixes(pipeline), ...comparisonPrefixes(pipeline)]))) {
    const runs = page.map(({ execution, startTime }) => ({
      workflowId: execution?.workflowId ?? '',
      runId: execution?.runId ?? '',
      startedAt: timeOf(startTime) ?? '',
    }));
    const own = runs.filter(({ workflowId: id }) => !id.startsWith(comparison) || isComparison(pipeline, id));
    running += own.length;
    // They come newest first, and there may be any number.
    oldest = [...oldest, ...own].sort((a, b) => compare(a.startedAt, b.startedAt)).slice(0, limit);
  }
  return { running, oldest: oldest.map(({ workflowId: id, runId }) => ({ workflowId: id, runId })) };
}

function tableOfBackfill(pipeline: string, id: string): string | undefined {
  const prefix = workflowId.backfill(pipeline, '');
  return id.startsWith(prefix) ? id.slice(prefix.length) : undefined;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

import { watchHeld } from '../metrics/held.js';
import { measuredIngest } from '../metrics/measured.js';
import type { Queue } from '../providers/queue.js';
import { LoadPoller } from './load-poller.js';
import { runPollers, type PollerOptions, type PollerProcess } from './pollers.js';
import { rhythmOf } from './rhythm.js';
import { SourcePoller } from './source-poller.js';
import { ingestRun, loadRun } from './workflows.js';

/** Polls all sources and the secondary queue until the signal; then drains. Needs no table and never imports one. */
export async function runPoller(options: PollerOptions): Promise<void> {
  await runPollers(options, (process) => {
    const { parts, figures, log } = process;
    const sources = Object.entries(parts.sources).map(([name, queue]) => createSourcePoller(process, name, queue));
    if (figures !== undefined) watchHeld(sources, figures, options.signal);
    log.info({ sources: Object.keys(parts.sources) }, 'polling');
    return [...sources, createLoadPoller(process, parts.secondary)];
  });
}

/** Takes events off the queue as those of the source. */
export function createSourcePoller(process: PollerProcess, source: string, queue: Queue): SourcePoller {
  const { context, parts, holding, figures, log } = process;
  const { leaseMs, freshnessMs } = context.settings;
  const { lingerMs } = rhythmOf(freshnessMs, parts.warehouse.cadence);
  const ingest = figures === undefined ? ingestRun(context) : measuredIngest(ingestRun(context), figures);
  return new SourcePoller({ source, queue, holding, leaseMs, log, ingest, lingerMs });
}

/** Takes references off the queue. */
export function createLoadPoller({ context, parts, log }: PollerProcess, queue: Queue): LoadPoller {
  const { leaseMs, freshnessMs, pipeline } = context.settings;
  return new LoadPoller({
    pipeline,
    leaseMs,
    log,
    queue,
    lake: parts.lake.uri,
    load: loadRun(context),
    cadenceMs: rhythmOf(freshnessMs, parts.warehouse.cadence).cadenceMs,
    maxObjects: parts.warehouse.cadence.maxFiles,
  });
}

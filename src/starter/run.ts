import { dataId } from '../config/data-id.js';
import type { Settings } from '../config/settings.js';
import { newId } from '../ids.js';
import { createLogger, type Logger } from '../log.js';
import { pollerTaskQueue, taskQueue } from '../names.js';
import { openParts, type Parts } from '../open.js';
import { runTemporalWorker } from '../running-worker.js';
import { aborted } from '../signals.js';
import { connectUntil } from '../temporal.js';
import { installTemporalRuntime } from '../temporal-runtime.js';
import { createPollerActivities } from './activities.js';
import { Encoder } from './encoder.js';
import { Holding } from './holding.js';
import { LoadPoller } from './load-poller.js';
import { SourcePoller } from './source-poller.js';
import { ingestRun, loadRun, type StarterContext } from './workflows.js';

export interface PollerOptions {
  readonly settings: Settings;
  readonly signal: AbortSignal;
  /** How long what is under way may take after the signal, in milliseconds. Default 5 s. */
  readonly drainMs?: number;
  readonly log?: Logger;
}

/** Each batch that may be held has a slot, and others for attempts that hang: none holds up another. */
const persistSlots = 64;
/** Of the time that is left at the end, what the pollers have; the rest is for giving back and for Temporal's worker. */
const pollersShare = 0.7;

/** Polls all sources and the secondary queue until the signal; then drains. Needs no table and never imports one. */
export async function runPoller({
  settings,
  signal,
  drainMs = 5_000,
  log = createLogger('poll'),
}: PollerOptions): Promise<void> {
  installTemporalRuntime(log);
  const parts = openParts(settings);
  const encoder = new Encoder();
  try {
    const temporal = await connectUntil(settings.dataDir, signal, log);
    if (temporal === undefined) return;
    const { connection, client, namespace } = temporal;
    const context: StarterContext = {
      client,
      settings,
      taskQueue: taskQueue(settings.pipeline, await dataId(settings)),
      poller: pollerTaskQueue(settings.pipeline, newId()),
    };
    const holding = new Holding(parts.lake, encoder, settings);
    const workerStop = new AbortController();
    const worker = runTemporalWorker(
      {
        connection,
        namespace,
        taskQueue: context.poller,
        activities: createPollerActivities(holding),
        maxConcurrentActivityTaskExecutions: persistSlots,
      },
      drainMs * (1 - pollersShare),
      workerStop.signal,
      log,
    );
    try {
      const pollers = createPollers(context, parts, holding, log);
      log.info({ sources: Object.keys(parts.sources) }, 'polling');
      const giveUp = abortedAfter(signal, drainMs * pollersShare);
      await Promise.all(pollers.map((poller) => poller.run(signal, giveUp)));
    } finally {
      workerStop.abort();
      await worker;
      await connection.close();
    }
  } finally {
    await Promise.all([encoder.close(), parts.close()]);
  }
  log.info('drained');
}

function createPollers(
  context: StarterContext,
  parts: Parts,
  holding: Holding,
  log: Logger,
): (SourcePoller | LoadPoller)[] {
  const { leaseMs, freshnessMs, pipeline } = context.settings;
  const sources = Object.entries(parts.sources).map(
    ([source, queue]) =>
      new SourcePoller({ source, queue, holding, leaseMs, log, ingest: ingestRun(context), lingerMs: freshnessMs / 3 }),
  );
  const { everyMs, maxFiles } = parts.warehouse.cadence;
  const secondary = new LoadPoller({
    pipeline,
    leaseMs,
    log,
    lake: parts.lake.uri,
    queue: parts.secondary,
    load: loadRun(context),
    cadenceMs: Math.max(freshnessMs / 2, everyMs),
    maxObjects: maxFiles,
  });
  return [...sources, secondary];
}

/** Aborts so long after the other did; holds up no process that ends before. */
function abortedAfter(signal: AbortSignal, ms: number): AbortSignal {
  const later = new AbortController();
  void aborted(signal).then(() => setTimeout(() => later.abort(), ms).unref());
  return later.signal;
}

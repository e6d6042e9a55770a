import { dataId } from '../config/data-id.js';
import type { Settings } from '../config/settings.js';
import { newId } from '../ids.js';
import { createLogger, type Logger } from '../log.js';
import type { MetricsAddress } from '../metrics/address.js';
import type { Figures } from '../metrics/figures.js';
import { countingFailures } from '../metrics/measured.js';
import { watchProcess } from '../metrics/process.js';
import { watchQueues } from '../metrics/queues.js';
import { pollerTaskQueue, taskQueue } from '../names.js';
import { openParts, type Parts } from '../open.js';
import { runTemporalWorker } from '../running-worker.js';
import { registerSearchAttributes } from '../search-attributes.js';
import { aborted } from '../signals.js';
import { connectUntil } from '../temporal.js';
import { installTemporalRuntime } from '../temporal-runtime.js';
import { createPollerActivities } from './activities.js';
import { Encoder } from './encoder.js';
import { Holding } from './holding.js';
import type { StarterContext } from './workflows.js';

export interface PollerOptions {
  readonly settings: Settings;
  readonly signal: AbortSignal;
  /** How long what is under way may take after the signal, in milliseconds. Default 5 s. */
  readonly drainMs?: number;
  /** Where metrics are served; by default nowhere, and none are taken. */
  readonly metrics?: MetricsAddress;
  readonly log?: Logger;
}

/** What takes messages off one queue. */
export interface Poller {
  /** Until `stop` is aborted, then until what is under way ended or `giveUp` is aborted; the rest goes back to the queue. */
  run(stop: AbortSignal, giveUp: AbortSignal): Promise<void>;
}

/** What the pollers of one process share. */
export interface PollerProcess {
  readonly context: StarterContext;
  readonly parts: Parts;
  readonly holding: Holding;
  readonly figures: Figures | undefined;
  readonly log: Logger;
}

/** Each batch that may be held has a slot, and others for attempts that hang: none holds up another. */
const persistSlots = 64;
/** Of the time that is left at the end, what the pollers have; the rest is for giving back and for Temporal's worker. */
const pollersShare = 0.7;

/** Runs pollers, and the activities of the batches that they hold, until the signal; then drains. */
export async function runPollers(
  { settings, signal, drainMs = 5_000, metrics, log = createLogger('poll') }: PollerOptions,
  create: (process: PollerProcess) => readonly Poller[],
): Promise<void> {
  const figures = await installTemporalRuntime(log, settings.pipeline, metrics);
  const parts = openParts(settings);
  const encoder = new Encoder();
  if (figures !== undefined) {
    watchProcess(figures, signal);
    watchQueues(parts, settings, figures, signal);
  }
  try {
    const temporal = await connectUntil(settings.dataDir, signal, log);
    if (temporal === undefined) return;
    const { connection, client, namespace } = temporal;
    void registerSearchAttributes(connection, namespace);
    const context: StarterContext = {
      client,
      settings,
      taskQueue: taskQueue(settings.pipeline, await dataId(settings)),
      poller: pollerTaskQueue(settings.pipeline, newId()),
    };
    const holding = new Holding(parts.lake, encoder, settings);
    const activities = createPollerActivities(holding);
    const workerStop = new AbortController();
    const worker = runTemporalWorker(
      {
        connection,
        namespace,
        taskQueue: context.poller,
        activities: figures === undefined ? activities : countingFailures(activities, figures),
        maxConcurrentActivityTaskExecutions: persistSlots,
      },
      drainMs * (1 - pollersShare),
      workerStop.signal,
      log,
    );
    try {
      const pollers = create({ context, parts, holding, figures, log });
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

/** Aborts so long after the other did; holds up no process that ends before. */
function abortedAfter(signal: AbortSignal, ms: number): AbortSignal {
  const later = new AbortController();
  void aborted(signal).then(() => setTimeout(() => later.abort(), ms).unref());
  return later.signal;
}

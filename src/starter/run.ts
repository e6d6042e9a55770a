import { setTimeout as sleep } from 'node:timers/promises';

import { dataId } from '../config/data-id.js';
import type { Settings } from '../config/settings.js';
import { withTypedFailures } from '../activities/failures.js';
import type { PollerActivities } from '../activities/types.js';
import { newId } from '../ids.js';
import { createLogger, type Logger } from '../log.js';
import { pollerTaskQueue, taskQueue } from '../names.js';
import { openParts } from '../open.js';
import { runTemporalWorker } from '../running-worker.js';
import { connectUntil } from '../temporal.js';
import { installTemporalRuntime } from '../temporal-runtime.js';
import { aborted } from '../signals.js';
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

/** So many batches may be held: each has a slot, so that a persist that hangs holds up no other. */
const persistSlots = 64;

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
  const temporal = await connectUntil(settings.dataDir, signal, log);
  if (temporal === undefined) return parts.close();
  const { connection, client, namespace } = temporal;
  const context: StarterContext = {
    client,
    settings,
    taskQueue: taskQueue(settings.pipeline, await dataId(settings)),
    poller: pollerTaskQueue(settings.pipeline, newId()),
  };
  const holding = new Holding(parts.lake, encoder, settings);
  const giveUp = new AbortController();
  const workerStop = new AbortController();
  const worker = runTemporalWorker(
    {
      connection,
      namespace,
      taskQueue: context.poller,
      activities: withTypedFailures<PollerActivities>({ persist: holding.persist }),
      maxConcurrentActivityTaskExecutions: persistSlots,
    },
    drainMs,
    workerStop.signal,
    log,
  );
  void aborted(signal).then(async () => {
    await sleep(drainMs);
    giveUp.abort();
  });

  const { leaseMs, freshnessMs, pipeline } = settings;
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
  log.info({ sources: Object.keys(parts.sources) }, 'polling');
  await Promise.all([...sources, secondary].map((poller) => poller.run(signal, giveUp.signal)));
  workerStop.abort();
  await worker;
  await Promise.all([encoder.close(), parts.close()]);
  await connection.close();
  log.info('drained');
}

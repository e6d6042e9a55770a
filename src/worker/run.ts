import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { createActivities } from '../activities/index.js';
import { dataId } from '../config/data-id.js';
import type { Settings } from '../config/settings.js';
import { createLogger, logged, type Logger } from '../log.js';
import type { MetricsAddress } from '../metrics/address.js';
import { measuredActivities, reconcileFigures } from '../metrics/measured.js';
import { watchProcess } from '../metrics/process.js';
import { watchStores } from '../metrics/stores.js';
import { taskQueue } from '../names.js';
import { openParts } from '../open.js';
import { runTemporalWorker } from '../running-worker.js';
import { registerSearchAttributes } from '../search-attributes.js';
import { connectUntil } from '../temporal.js';
import { installTemporalRuntime } from '../temporal-runtime.js';
import { createTransformer } from '../transform/transformer.js';
import { configPlace, definitions } from './definitions.js';
import { keepSchedule } from './schedule.js';

export interface WorkerRunOptions {
  readonly settings: Settings;
  readonly signal: AbortSignal;
  /** Make and widen the tables at start, as `dev` does. */
  readonly migrate?: boolean;
  /** How long what is under way may take after the signal, in milliseconds. Default 5 s. */
  readonly drainMs?: number;
  /** Where metrics are served; by default nowhere, and none are taken. */
  readonly metrics?: MetricsAddress;
  readonly log?: Logger;
}

/** Runs all workflows, and all activities but `persist`, until the signal; then drains. */
export async function runWorker({
  settings,
  signal,
  migrate = false,
  drainMs = 5_000,
  metrics,
  log = createLogger('worker'),
}: WorkerRunOptions): Promise<void> {
  const figures = await installTemporalRuntime(log, settings.pipeline, metrics);
  const parts = openParts(settings);
  const transformer = createTransformer(configPlace(settings));
  const { tables, shapes, forgetTables } = definitions(settings, parts.warehouse, migrate);
  if (figures !== undefined) {
    watchProcess(figures, signal);
    watchStores({ parts, settings, tables }, figures, signal);
  }
  const temporal = await connectUntil(settings.dataDir, signal, log);
  if (temporal !== undefined) {
    const { connection, client, namespace } = temporal;
    const queue = taskQueue(settings.pipeline, await dataId(settings));
    void registerSearchAttributes(connection, namespace);
    void shapes().then(
      (made) => log.info({ tables: made.map(({ name }) => name) }, 'working'),
      (error: unknown) =>
        log.error(logged(error), 'the tables cannot be loaded or made; ingestion goes on without them'),
    );
    const schedule = keepSchedule(client, settings, queue, signal, log);
    const activities = createActivities({
      settings,
      parts,
      transformer,
      temporal: client,
      taskQueue: queue,
      tables,
      shapes,
      forgetTables,
      ...(figures && { onReconciled: (report) => reconcileFigures(report, figures) }),
    });
    await runTemporalWorker(
      {
        connection,
        namespace,
        taskQueue: queue,
        activities: figures === undefined ? activities : measuredActivities(activities, figures),
        ...workflowCode(),
      },
      drainMs,
      signal,
      log,
    );
    await schedule;
    await connection.close();
  }
  await Promise.all([transformer.close(), parts.close()]);
  log.info('drained');
}

/** The bundle that the build made; from source there is none, and Temporal bundles the workflows itself. */
function workflowCode(): { workflowBundle: { codePath: string } } | { workflowsPath: string } {
  const codePath = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
  if (existsSync(codePath)) return { workflowBundle: { codePath } };
  const source = new URL(
    import.meta.url.endsWith('.ts') ? '../workflows/index.ts' : '../workflows/index.js',
    import.meta.url,
  );
  return { workflowsPath: fileURLToPath(source) };
}

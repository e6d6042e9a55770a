import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { createActivities } from '../activities/index.js';
import { dataId } from '../config/data-id.js';
import type { Settings } from '../config/settings.js';
import { createLogger, logged, type Logger } from '../log.js';
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
  readonly log?: Logger;
}

/** Runs all workflows, and all activities but `persist`, until the signal; then drains. */
export async function runWorker({
  settings,
  signal,
  migrate = false,
  drainMs = 5_000,
  log = createLogger('worker'),
}: WorkerRunOptions): Promise<void> {
  installTemporalRuntime(log);
  const parts = openParts(settings);
  const transformer = createTransformer(configPlace(settings));
  const { tables, shapes, forgetTables } = definitions(settings, parts.warehouse, migrate);
  const temporal = await connectUntil(settings.dataDir, signal, log);
  if (temporal !== undefined) {
    const { connection, client, namespace } = temporal;
    const queue = taskQueue(settings.pipeline, await dataId(settings));
    await registerSearchAttributes(connection, namespace);
    void shapes().then(
      (made) => log.info({ tables: made.map(({ name }) => name) }, 'working'),
      (error: unknown) =>
        log.error(logged(error), 'the tables cannot be loaded or made; ingestion goes on without them'),
    );
    const schedule = keepSchedule(client, settings, queue, signal, log);
    await runTemporalWorker(
      {
        connection,
        namespace,
        taskQueue: queue,
        activities: createActivities({
          settings,
          parts,
          transformer,
          temporal: client,
          taskQueue: queue,
          tables,
          shapes,
          forgetTables,
        }),
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

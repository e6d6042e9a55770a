import type { BackfillPlace } from '../backfill/requests.js';
import type { Settings } from '../config/settings.js';

/** The backfills of the pipeline, for as long as `use` takes. */
export async function withBackfills<Result>(
  settings: Settings,
  use: (place: BackfillPlace) => Promise<Result>,
): Promise<Result> {
  const { dataId } = await import('../config/data-id.js');
  const { taskQueue } = await import('../names.js');
  const { connectTemporal } = await import('../temporal.js');
  const { quietTemporalRuntime } = await import('../temporal-runtime.js');
  quietTemporalRuntime();
  const { client, connection } = await connectTemporal(settings.dataDir);
  try {
    const { pipeline } = settings;
    return await use({ client, pipeline, taskQueue: taskQueue(pipeline, await dataId(settings)) });
  } finally {
    await connection.close();
  }
}

export function pausedNote(table: string): string {
  return `the backfill of ${table} is paused; catchment backfill resume --table ${table} lets it go on`;
}

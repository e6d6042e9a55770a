import type { Followed } from '../backfill/follow.js';
import type { BackfillPlace } from '../backfill/requests.js';
import type { Settings } from '../config/settings.js';
import { note } from './output.js';

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

/** Follows a backfill to its end, and notes what a person can do something about; an answer that is late keeps the last state. */
export async function* followNoting(
  place: BackfillPlace,
  table: string,
  signal: AbortSignal,
): AsyncGenerator<Followed> {
  const { follow } = await import('../backfill/follow.js');
  let last: Followed = {};
  for await (const now of follow(place, table, signal)) {
    if (now.error !== undefined && now.error !== last.error)
      note(`${table}: it fails, and goes on trying: ${now.error}`);
    if (now.state?.paused === true && last.state?.paused !== true) note(pausedNote(table));
    last = now.state === undefined ? { ...last, ...now } : now;
    yield last;
  }
}

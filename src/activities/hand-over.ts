import { askBackfill } from '../backfill/requests.js';
import { withHeartbeat } from './heartbeat.js';
import type { Dependencies } from './index.js';
import type { WorkerActivities } from './types.js';

/** Whoever finds a gap has the table's backfill load it. */
export function createHandOver({ settings, temporal, taskQueue }: Dependencies): WorkerActivities['handOver'] {
  const place = { client: temporal, pipeline: settings.pipeline, taskQueue };
  return ({ table, range }) => withHeartbeat(() => askBackfill(place, table, range));
}

import { timeOfId } from '../ids.js';
import type { Lake } from '../providers/lake.js';
import type { Dependencies } from './index.js';
import type { WorkerActivities } from './types.js';

const dayMs = 24 * 60 * 60 * 1_000;
const removedAtOnce = 1_000;

/** Load files are of no use once their load ended; those of a killed one are swept when no attempt can need them any more. */
export function createDiscards({ parts, settings }: Dependencies): Pick<WorkerActivities, 'discard' | 'sweep'> {
  return {
    discard: ({ folder }) => removeWhile(parts.staging, folder, () => true),
    sweep: () => {
      const needed = Date.now() - Math.max(dayMs, 2 * settings.patienceMs);
      // Folders are named by UUIDv7s, so the first that is young ends the sweep.
      return removeWhile(parts.staging, 'load/', (key) => (timeOfId(key.split('/')[1] ?? '') ?? Infinity) < needed);
    },
  };
}

async function removeWhile(lake: Lake, prefix: string, unneeded: (key: string) => boolean): Promise<void> {
  let keys: string[] = [];
  for await (const { key } of lake.list(prefix)) {
    if (!unneeded(key)) break;
    keys.push(key);
    if (keys.length < removedAtOnce) continue;
    await lake.remove(keys);
    keys = [];
  }
  await lake.remove(keys);
}

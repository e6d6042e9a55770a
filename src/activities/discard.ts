import type { Dependencies } from './index.js';
import type { WorkerActivities } from './types.js';

export function createDiscard({ parts }: Dependencies): WorkerActivities['discard'] {
  return async ({ folder }) => {
    const keys: string[] = [];
    for await (const { key } of parts.staging.list(folder)) keys.push(key);
    await parts.staging.remove(keys);
  };
}

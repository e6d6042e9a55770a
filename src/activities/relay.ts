import { hash } from 'node:crypto';

import { Unavailable } from '../errors.js';
import { batchPrefix, parseObjectKey } from '../keys.js';
import type { Lake } from '../providers/lake.js';
import { encodeReference, type Reference } from '../references.js';
import { withHeartbeat } from './heartbeat.js';
import type { Dependencies } from './index.js';
import { readNamed } from './read-object.js';
import type { BatchName, WorkerActivities } from './types.js';

/** The doorbell rings only for an object that is there, whoever asks: the poller that wrote it may be dead. */
export function createRelay({ settings, parts }: Dependencies): WorkerActivities['relay'] {
  return ({ source, batch, reference }) =>
    withHeartbeat(async () => {
      const found = await findObject(parts.lake, { source, batch });
      if (found === undefined) return 'returned';
      const rung = reference?.key === found.key ? reference : await refer(parts.lake, settings.pipeline, found);
      const [outcome] = await parts.secondary.send([{ body: encodeReference(rung), attributes: {} }]);
      if (outcome?.status === 'done') return 'stored';
      throw outcome?.status === 'failed'
        ? outcome.error
        : new Unavailable('the secondary queue gave no outcome for a reference');
    });
}

async function findObject(lake: Lake, { source, batch }: BatchName): Promise<{ key: string } | undefined> {
  for await (const object of lake.list(batchPrefix(source, batch))) {
    if (parseObjectKey(object.key) !== undefined) return object;
  }
  return undefined;
}

/** Who wrote it did not say so: it is there to be read, whole, and put again it is durable too. Throws `LakeCorrupt`. */
async function refer(lake: Lake, pipeline: string, { key }: { key: string }): Promise<Reference> {
  const { batch, events, hash: named } = parseObjectKey(key)!;
  const body = await readNamed(lake, key, named);
  await lake.put(key, body);
  return { v: 1, pipeline, lake: lake.uri, key, batch, sha256: hash('sha256', body), events, bytes: body.length };
}

import { setTimeout as sleep } from 'node:timers/promises';

import { readObject } from '../activities/read-object.js';
import type { Envelope } from '../envelope.js';
import { CatchmentError, ConfigError, Unavailable } from '../errors.js';
import type { Lake } from '../providers/lake.js';
import { envelopesOf } from '../transform/object.js';
import type { FollowedObject, LakeFollower } from './lake-follower.js';

export interface TailOptions {
  /** Between two listings. */
  readonly everyMs: number;
  readonly matches: (envelope: Envelope) => boolean;
  /** Ends after so many events. */
  readonly limit?: number;
  readonly signal: AbortSignal;
  /** An event, in the order of the batches and of the lines in their objects. */
  readonly show: (envelope: Envelope) => Promise<void>;
  /** From here on everything new is shown. */
  readonly onFollowing: () => void;
  /** The lake does not answer; it is asked again. */
  readonly onUnavailable: (error: Unavailable) => void;
  /** This object cannot be shown; the others are. */
  readonly onUnreadable: (key: string, why: string) => void;
}

/** Shows the events of each object that the follower finds, until it is stopped. Throws what cannot mend by itself. */
export async function tail(lake: Lake, follower: LakeFollower, options: TailOptions): Promise<void> {
  const { everyMs, limit = Infinity, signal, onFollowing, onUnavailable } = options;
  let following = false;
  let left = limit;
  for (;;) {
    try {
      for await (const object of follower.pass()) {
        left -= await showObject(lake, object, options, left);
        if (left <= 0 || signal.aborted) return;
      }
      if (!following) onFollowing();
      following = true;
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      onUnavailable(error);
    }
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
  }
}

/** Returns how many events it showed. */
async function showObject(
  lake: Lake,
  object: FollowedObject,
  { matches, signal, show, onUnreadable }: TailOptions,
  most: number,
): Promise<number> {
  const { key } = object;
  let read = 0;
  let shown = 0;
  try {
    const problem = await readObject(lake, key, async (bytes) => {
      let line = 0;
      for (const envelope of envelopesOf(bytes, { ...object, sha256: object.hash })) {
        // An object may turn out to be corrupt behind its first lines, and is then read again.
        if (++line <= read) continue;
        read = line;
        if (!matches(envelope)) continue;
        await show(envelope);
        shown++;
        if (shown === most || signal.aborted) break;
      }
      return undefined;
    });
    if (problem !== undefined) onUnreadable(key, problem);
  } catch (error) {
    if (!(error instanceof CatchmentError) || error instanceof Unavailable || error instanceof ConfigError) throw error;
    onUnreadable(key, error.message);
  }
  return shown;
}

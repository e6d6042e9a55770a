import type { ObjectToLoad } from '../../src/activities/types.js';
import { newId } from '../../src/ids.js';
import { objectKey } from '../../src/keys.js';

export function objects(count: number, events = 10): ObjectToLoad[] {
  return Array.from({ length: count }, () => {
    const batch = newId();
    const sha256 = 'ab'.repeat(32);
    return {
      key: objectKey({ source: 'app', batch, events, hash: sha256.slice(0, 32) }),
      source: 'app',
      batch,
      events,
      sha256,
    };
  });
}

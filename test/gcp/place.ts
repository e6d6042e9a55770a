import { Storage } from '@google-cloud/storage';

import type { PlaceLake, PlaceQueues } from '../cloud/place.js';
import { saveRaw } from '../cloud/raw.js';
import { statsOf } from '../standins/pubsub-faults.js';

/** Of a project of the place's name, so that faults are its own; topics and subscriptions are of one name. */
export class PubsubQueues implements PlaceQueues {
  readonly env: { PLACE_PUBSUB: string; PLACE_MONITORING: string };

  constructor(endpoint: string, admin: string) {
    this.env = { PLACE_PUBSUB: endpoint, PLACE_MONITORING: admin };
  }

  async backlog(place: string, queue: string): Promise<{ waiting: number; leased: number }> {
    const { waiting, leased } = await statsOf(this.env.PLACE_MONITORING, `projects/${place}/subscriptions/${queue}`);
    return { waiting, leased };
  }

  close(): void {
    // Asked over plain HTTP, it keeps nothing open.
  }
}

/** How begins what `provision` plans for a bucket, and fake-gcs-server knows nothing of. */
export const unknownToFakeGcs = ['prevent public access', 'expire load files', 'remove non-current'] as const;

export class GcsBucket implements PlaceLake {
  readonly env: { PLACE_GCS: string };
  readonly #storage: Storage;

  constructor(endpoint: string) {
    this.env = { PLACE_GCS: endpoint };
    this.#storage = new Storage({ apiEndpoint: endpoint, projectId: 'tests' });
  }

  async fetch(bucket: string, folder: string): Promise<void> {
    saveRaw(folder);
    const [files] = await this.#storage.bucket(bucket).getFiles({ prefix: 'lake/raw/' });
    for (const file of files) {
      const [bytes] = await file.download({ decompress: false });
      saveRaw(folder, file.name, bytes);
    }
  }

  close(): void {
    // The client keeps no connection that holds up a process.
  }
}

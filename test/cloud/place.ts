import { randomUUID } from 'node:crypto';

import type { Surroundings } from '../faults/pipeline.js';

type Environment = Readonly<Record<string, string>>;

/** The queues of a place, whose names begin with its own. */
export interface PlaceQueues {
  /** By which a pipeline finds them. */
  readonly env: Environment;
  backlog(place: string, queue: string): Promise<{ waiting: number; leased: number }>;
  close(): void | Promise<void>;
}

/** A bucket, of the place's name. */
export interface PlaceLake {
  readonly env: Environment;
  /** Every raw object, as a folder lake would have it. */
  fetch(bucket: string, folder: string): Promise<void>;
  close(): void | Promise<void>;
}

/**
 * Queues and a bucket for one pipeline alone, as `parts.ts` names them in its config. The test looks at them with the cloud's
 * own clients, past whatever stands between the pipeline and the services.
 */
export class CloudPlace<Queues extends PlaceQueues = PlaceQueues> {
  readonly name = `place-${randomUUID()}`;
  readonly queues: Queues;
  readonly #lake: PlaceLake;

  constructor(queues: Queues, lake: PlaceLake) {
    this.queues = queues;
    this.#lake = lake;
  }

  /** For a pipeline here. `reached`: where it has the services, if proxies stand before them. */
  surroundings(reached: Environment = {}): Surroundings {
    return {
      env: { ...this.queues.env, ...this.#lake.env, ...reached, PLACE_NAME: this.name },
      fetchLake: (folder) => this.fetchLake(folder),
    };
  }

  /** Of the pipeline's queue `app`, `app-dead`, `secondary` or `secondary-dead`. */
  backlog(which: string): Promise<{ waiting: number; leased: number }> {
    return this.queues.backlog(this.name, `${this.name}-${which}`);
  }

  fetchLake(folder: string): Promise<void> {
    return this.#lake.fetch(this.name, folder);
  }

  async close(): Promise<void> {
    await Promise.all([this.queues.close(), this.#lake.close()]);
  }
}

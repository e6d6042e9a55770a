import type { Storage } from '@google-cloud/storage';

import { inTime } from './no-answer.js';

type Auth = Storage['authClient'];

/** Application default credentials, as Google's client finds and renews them; it is read at the first call. */
export class Credentials {
  readonly #longestMs: number;
  #auth: Promise<Auth> | undefined;

  constructor(longestMs: number) {
    this.#longestMs = longestMs;
  }

  headers(): Promise<Readonly<Record<string, string>>> {
    return this.#inTime(async () => (await this.#open()).getRequestHeaders());
  }

  /** The project that they belong to. */
  projectId(): Promise<string> {
    return this.#inTime(async () => (await load()).getProjectId());
  }

  /** They were not taken: the next call looks for them anew. */
  forget(): void {
    this.#auth = undefined;
  }

  #open(): Promise<Auth> {
    return (this.#auth ??= load('of-no-matter'));
  }

  async #inTime<Result>(ask: () => Promise<Result>): Promise<Result> {
    try {
      return await inTime(ask(), this.#longestMs);
    } catch (error) {
      this.forget();
      throw error;
    }
  }
}

/** Without a project the client would ask for one first, of another service, that may not be enabled. */
async function load(projectId?: string): Promise<Auth> {
  const { Storage } = await import('@google-cloud/storage');
  return new Storage({ ...(projectId !== undefined && { projectId }) }).authClient;
}

import type { Storage } from '@google-cloud/storage';

import { NoAnswer } from './gcs-http.js';

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

  /** Who gives out tokens may never answer, and the client would wait for it, for every call to come. */
  async #inTime<Result>(ask: () => Promise<Result>): Promise<Result> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new NoAnswer('ETIMEDOUT')), this.#longestMs);
    });
    try {
      return await Promise.race([ask(), late]);
    } catch (error) {
      this.forget();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Without a project the client would ask for one first, of another service, that may not be enabled. */
async function load(projectId?: string): Promise<Auth> {
  const { Storage } = await import('@google-cloud/storage');
  return new Storage({ ...(projectId !== undefined && { projectId }) }).authClient;
}

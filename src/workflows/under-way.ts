import { CancellationScope, isCancellation } from '@temporalio/workflow';

import type { BackfillMode } from '../activities/types.js';

/** Something that is under way: it looks for what is to do, or does it. */
interface Work {
  readonly mode: BackfillMode;
  readonly looks: boolean;
}

/** What a backfill has under way, all of which can be let go of. */
export class UnderWay {
  readonly #scopes = new Map<CancellationScope, Work>();
  readonly #pages = new Set<Promise<void>>();
  #broke: { readonly error: unknown } | undefined;

  get pages(): number {
    return this.#pages.size;
  }

  /** Resolves with what it found; rejects as cancelled where it was let go of. */
  async look<Result>(mode: BackfillMode, work: () => Promise<Result>): Promise<Result> {
    return this.#inScope({ mode, looks: true }, work);
  }

  /** Begins a page and does not wait for it. */
  begin(mode: BackfillMode, load: () => Promise<void>, onLetGo: () => void): void {
    const ended = this.#inScope({ mode, looks: false }, load)
      .catch((error: unknown) => {
        if (isCancellation(error)) onLetGo();
        else this.#broke = { error };
      })
      .finally(() => this.#pages.delete(ended));
    this.#pages.add(ended);
  }

  letGo(which: (work: Work) => boolean): void {
    for (const [scope, work] of this.#scopes) if (which(work)) scope.cancel();
  }

  /** Throws what no page may end with: a mistake of ours must not pass for a page that found nothing. */
  throwIfBroke(): void {
    if (this.#broke !== undefined) throw this.#broke.error;
  }

  async oneEnds(): Promise<void> {
    await Promise.race(this.#pages);
    this.throwIfBroke();
  }

  async allEnd(): Promise<void> {
    while (this.#pages.size > 0) await this.oneEnds();
  }

  async #inScope<Result>(work: Work, run: () => Promise<Result>): Promise<Result> {
    const scope = new CancellationScope();
    this.#scopes.set(scope, work);
    try {
      return await scope.run(run);
    } finally {
      this.#scopes.delete(scope);
    }
  }
}

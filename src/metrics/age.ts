/**
 * How old something is at most. Until it is known, and while it is not known any more, it grows: an alert must not see a
 * store that is down as one where all is well.
 */
export class Age {
  #ms = 0;
  #knownAt = performance.now();

  /** `ms`: how old it is now. */
  known(ms: number): void {
    this.#ms = Math.max(0, ms);
    this.#knownAt = performance.now();
  }

  get seconds(): number {
    return Math.round(this.#ms + performance.now() - this.#knownAt) / 1_000;
  }
}

/** What went through a proxy, so that a test can say that its fault really happened. */
export class Seen {
  /** Every call's operation, in the order in which they came. */
  readonly operations: string[] = [];
  readonly #calls = new Map<string, number>();
  readonly #faults = new Map<string, number>();

  /** Calls of one operation, or of all. */
  calls(operation?: string): number {
    return count(this.#calls, operation);
  }

  /** Faults of one name that really happened, or of all. */
  faults(name?: string): number {
    return count(this.#faults, name);
  }

  noteCall(operation: string): void {
    this.operations.push(operation);
    this.#calls.set(operation, this.calls(operation) + 1);
  }

  noteFault(name: string, times: number): void {
    this.#faults.set(name, this.faults(name) + times);
  }

  /** For a message when a test fails: `calls SendMessage 3; faults 503 1`. */
  toString(): string {
    const list = (counts: Map<string, number>): string => [...counts].map((pair) => pair.join(' ')).join(', ');
    return `calls ${list(this.#calls)}; faults ${list(this.#faults)}`;
  }
}

function count(counts: ReadonlyMap<string, number>, name: string | undefined): number {
  if (name !== undefined) return counts.get(name) ?? 0;
  return [...counts.values()].reduce((sum, each) => sum + each, 0);
}

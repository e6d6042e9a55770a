import { timeOfId } from '../ids.js';
import { keyBefore, parseObjectKey, type ObjectName } from '../keys.js';
import type { Lake, LakeObject } from '../providers/lake.js';
import { merge } from './merge.js';

export type FollowedObject = LakeObject & ObjectName;

/** An object may become visible so long after its batch closed, behind newer ones. */
export const lateMs = 2 * 3_600_000;
/** Mostly an object is there within this, so that most listings need not look further back. */
const promptMs = 60_000;
/** How often they do. */
const wholeEveryMs = 20_000;
/** What is remembered is cleared when so much more of it is too old to come again. */
const clearEveryMs = 600_000;

/** Finds what is new in a lake by listing it again and again. Remembers the keys of the hours that it still looks at, and no others. */
export class LakeFollower {
  readonly #lake: Pick<Lake, 'list'>;
  readonly #sources: readonly string[];
  readonly #since: number | undefined;
  /** Batches that closed before it are looked for no more. */
  #floor: number;
  #clearedTo: number;
  #nextWhole = 0;
  /** What is there already is not new. */
  #atStart: boolean;
  readonly #seen = new Map<string, number>();

  /** `since`: objects written from then on (Unix milliseconds, the lake's clock); by default what the first pass does not find. */
  constructor(lake: Pick<Lake, 'list'>, sources: readonly string[], since: number | undefined) {
    this.#lake = lake;
    this.#sources = sources;
    this.#since = since;
    this.#atStart = since === undefined;
    this.#floor = (since ?? Date.now()) - lateMs;
    this.#clearedTo = this.#floor;
  }

  /** How many keys are remembered. */
  get remembered(): number {
    return this.#seen.size;
  }

  /** Each object that no pass has yielded yet, by the time its batch closed. One that is left half way yields what it left again. */
  async *pass(now = Date.now()): AsyncGenerator<FollowedObject> {
    const whole = now >= this.#nextWhole;
    const from = whole ? this.#floor : Math.max(this.#floor, now - promptMs);
    for await (const object of this.#list(from)) {
      if (this.#seen.has(object.key)) continue;
      const closedAt = timeOfId(object.batch)!;
      const wanted = this.#since === undefined ? !this.#atStart : object.writtenAt.getTime() >= this.#since;
      if (wanted) yield object;
      this.#seen.set(object.key, closedAt);
      this.#raiseFloor(Math.min(closedAt, now) - lateMs);
    }
    this.#atStart = false;
    this.#raiseFloor(now - lateMs);
    // A whole one that was left half way is still due.
    if (whole) this.#nextWhole = now + wholeEveryMs;
  }

  #list(from: number): AsyncGenerator<FollowedObject> {
    const lists = this.#sources.map((source) => named(this.#lake.list(`raw/${source}/`, keyBefore(source, from))));
    return merge(lists, (a, b) => a.batch < b.batch);
  }

  #raiseFloor(to: number): void {
    this.#floor = Math.max(this.#floor, to);
    if (this.#floor - this.#clearedTo < clearEveryMs) return;
    this.#clearedTo = this.#floor;
    for (const [key, closedAt] of this.#seen) if (closedAt < this.#floor) this.#seen.delete(key);
  }
}

async function* named(objects: AsyncIterable<LakeObject>): AsyncGenerator<FollowedObject> {
  for await (const object of objects) {
    const name = parseObjectKey(object.key);
    if (name !== undefined) yield { ...object, ...name };
  }
}

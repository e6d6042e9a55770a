import { randomFrom } from '../../faults/random.js';
import type { Call, Fault } from './fault.js';

/** Which calls; all that is given must hold. */
interface When {
  readonly method?: string;
  /** The path as it is, without the query, or a pattern in it. */
  readonly path?: string | RegExp;
  readonly operation?: string | readonly string[];
  /** Only the n-th call, from 1, of those that all else chooses. */
  readonly nth?: number;
  readonly is?: (call: Call) => boolean;
}

export interface Rule {
  /** Every call unless given. */
  readonly when?: When;
  /** Of the calls that `when` chooses, by the proxy's seed; 1 unless given. */
  readonly share?: number;
  /** Never more calls than so many; no end unless given. */
  readonly times?: number;
  readonly fault: Fault;
}

/** A rule at work. */
export interface Ruling {
  /** How often its fault really happened. */
  readonly happened: number;
  /** Calls that it has caught already go on. */
  remove(): void;
}

/** A rule, and what it has done. Each has random numbers of its own, so that no rule changes what another chooses. */
export class ActiveRule {
  readonly fault: Fault;
  readonly random: () => number;
  happened = 0;
  readonly #rule: Rule;
  #matched = 0;
  #chosen = 0;

  constructor(rule: Rule, seed: number) {
    this.#rule = rule;
    this.fault = rule.fault;
    this.random = randomFrom(seed);
  }

  chooses(call: Call): boolean {
    const { when = {}, share = 1, times = Infinity } = this.#rule;
    if (!fits(when, call)) return false;
    this.#matched++;
    if (when.nth !== undefined && when.nth !== this.#matched) return false;
    if (this.#chosen >= times) return false;
    if (share < 1 && this.random() >= share) return false;
    this.#chosen++;
    return true;
  }
}

function fits({ method, path, operation, is }: When, call: Call): boolean {
  if (method !== undefined && method !== call.method) return false;
  if (typeof path === 'string' && path !== call.path) return false;
  if (path instanceof RegExp && !path.test(call.path)) return false;
  if (operation !== undefined && ![operation].flat().includes(call.operation)) return false;
  return is === undefined || is(call);
}

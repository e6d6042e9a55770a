import { randomUUID } from 'node:crypto';

import { Refusal } from './refusal.js';

/** As many digits as the shortest integer has that a double may not hold. Spelled out, the search for it skips ahead. */
const longNumber = new RegExp('\\d'.repeat(16));
/** Marks an integer within rewritten JSON. Unguessable, so that no string of an event can pass for one. */
const mark = randomUUID();

/**
 * `JSON.parse` that loses no integer: one that a number does not hold to the last digit (`9007199254740993`) comes as a
 * bigint, every other number as a number. Fractions are doubles, as ever. Throws `SyntaxError`.
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (!longNumber.test(text)) return value;
  const marked = markIntegers(text);
  return marked === undefined ? value : unmark(JSON.parse(marked));
}

/** Valid JSON with each integer that a double cannot hold made a marked string; undefined where there is none. */
function markIntegers(text: string): string | undefined {
  let marked = '';
  let copied = 0;
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      at = endOfString(text, at);
    } else if (code === 0x2d || isDigit(code)) {
      const start = at;
      let integer = true;
      for (at++; at < text.length; at++) {
        const next = text.charCodeAt(at);
        if (isDigit(next)) continue;
        if (!isFraction(next)) break;
        integer = false;
      }
      if (!integer || at - start < 16 || isExact(text.slice(start, at))) continue;
      marked += `${text.slice(copied, start)}"${mark}${text.slice(start, at)}"`;
      copied = at;
    } else {
      at++;
    }
  }
  return copied === 0 ? undefined : marked + text.slice(copied);
}

/** Behind the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  let end = start;
  for (;;) {
    end = text.indexOf('"', end + 1);
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === 0x5c) escapes++;
    if (escapes % 2 === 0) return end + 1;
  }
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** `.`, `e`, `E`, or the sign of an exponent. */
function isFraction(code: number): boolean {
  return code === 0x2e || code === 0x65 || code === 0x45 || code === 0x2b || code === 0x2d;
}

/** Whether a double is the integer, and prints its digits: of neither follows the other. */
function isExact(integer: string): boolean {
  const double = Number(integer);
  // Beyond the doubles it is Infinity, which every check of a row refuses.
  return !Number.isFinite(double) || (String(double) === integer && BigInt(double) === BigInt(integer));
}

/** Without recursion: a body may be nested deeper than the stack. */
function unmark(root: unknown): unknown {
  const holder: Record<string, unknown> = { root };
  const containers: Record<string, unknown>[] = [holder];
  for (let container = containers.pop(); container !== undefined; container = containers.pop()) {
    for (const key of Object.keys(container)) {
      const value = container[key];
      if (typeof value === 'string') {
        if (value.startsWith(mark)) container[key] = BigInt(value.slice(mark.length));
      } else if (typeof value === 'object' && value !== null) {
        containers.push(value as Record<string, unknown>);
      }
    }
  }
  return holder['root'];
}

/** The parsed JSON, which nobody can change any more. Without recursion, as above. */
export function frozen(root: unknown): unknown {
  const containers = [root];
  while (containers.length > 0) {
    const container = containers.pop();
    if (typeof container !== 'object' || container === null) continue;
    for (const value of Object.values(container)) if (typeof value === 'object') containers.push(value);
    Object.freeze(container);
  }
  return root;
}

/**
 * The JSON text of a value of user code; integers beyond 2^53 are written in full. Refused is what JSON would lose or
 * change without a word (NaN, a Map, a function), what warehouses cannot store (lone surrogates), and what is nested
 * deeper than `depth`.
 */
export function jsonText(value: unknown, depth: number): string | Refusal {
  const found = inspect(value, depth);
  if (found instanceof Refusal) return found;
  return found === 'bigints' ? writeJson(value) : JSON.stringify(value);
}

type Found = 'plain' | 'bigints' | Refusal;

const tooDeep = new Refusal('is nested too deep');
const loneSurrogate = new Refusal('holds a lone surrogate, which is no text');

function inspect(value: unknown, depth: number): Found {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? 'plain' : loneSurrogate;
    case 'boolean':
    case 'undefined':
      return 'plain';
    case 'number':
      return Number.isFinite(value) ? 'plain' : new Refusal('holds a number that is not finite');
    case 'bigint':
      return 'bigints';
    case 'object':
      return value === null ? 'plain' : inspectObject(value, depth);
    default:
      return new Refusal(`holds a ${typeof value}, which is no JSON`);
  }
}

function inspectObject(value: object, depth: number): Found {
  if (depth === 0) return tooDeep;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? new Refusal('holds an invalid date') : 'plain';
  let found: Found = 'plain';
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) {
      const inner = inspect(item, depth - 1);
      if (inner instanceof Refusal) return inner;
      if (inner === 'bigints') found = inner;
    }
    return found;
  }
  if (!isPlain(value)) return new Refusal('holds an object that is no JSON');
  // Not for…in: what user code added to Object.prototype is no part of the value.
  for (const key of Object.keys(value)) {
    if (!key.isWellFormed()) return loneSurrogate;
    const inner = inspect((value as Record<string, unknown>)[key], depth - 1);
    if (inner instanceof Refusal) return inner;
    if (inner === 'bigints') found = inner;
  }
  return found;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  // By name too: a value may come from another realm, as it does in tests.
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

/** As `JSON.stringify` writes it, but for bigints, which that refuses. */
function writeJson(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null || value instanceof Date) return JSON.stringify(value);
  if (Array.isArray(value)) {
    const items = Array.from(value as unknown[], (item) => (item === undefined ? 'null' : writeJson(item)));
    return `[${items.join(',')}]`;
  }
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${writeJson(member)}`).join(',')}}`;
}

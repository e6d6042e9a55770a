import type { z } from 'zod';

import { Refusal } from './refusal.js';

type Issue = z.core.$ZodIssue;

const reasonBytes = 1000;
/** More issues of one event say little that the first do not. */
const issuesNamed = 3;

/**
 * Zod's own messages, and those of refinements, may quote the event. So a reason is made anew from what cannot: the
 * issue's code, type and format names of Zod's, and the path, in which a key that the schema does not name is `*`.
 */
export function refusedBy(schema: z.ZodType, issues: readonly Issue[], what: string): Refusal {
  const named = issues.slice(0, issuesNamed).map((issue) => `${pathOf(schema, issue.path, what)}: ${describe(issue)}`);
  const more = issues.length - named.length;
  return new Refusal(cut(named.join('; ') + (more > 0 ? `; and ${more} more` : '')));
}

/** Of user code that threw: the error's class, where it is one of the language, and the user's line, never the message. */
export function refusedByThrow(thrown: unknown, what: string, file: string | undefined): Refusal {
  const line = lineIn(thrown, file);
  const place = line === undefined ? '' : ` at ${line}`;
  return new Refusal(cut(`${what} threw ${classOf(thrown)}${place}`));
}

function cut(reason: string): string {
  return Buffer.byteLength(reason) <= reasonBytes ? reason : `${reason.slice(0, reasonBytes / 4).toWellFormed()}…`;
}

/** A class of the user's may be made, and named, of what the event holds. */
const classNames = new Set(
  'Error TypeError RangeError SyntaxError ReferenceError URIError EvalError AggregateError ZodError'.split(' '),
);

function classOf(thrown: unknown): string {
  const noError = 'something that is no Error';
  try {
    if (!(thrown instanceof Error)) return noError;
    const { name } = thrown.constructor;
    return classNames.has(name) ? name : 'an Error';
  } catch {
    return noError; // a getter of the user's, or a proxy
  }
}

/** A stack begins with the message: only a line number right behind the table's own file is taken from it. */
function lineIn(thrown: unknown, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    if (!(thrown instanceof Error)) return undefined;
    const { stack } = thrown;
    if (typeof stack !== 'string') return undefined;
    const at = stack.indexOf(`${file}:`);
    const line = at < 0 ? undefined : /^\d{1,7}/.exec(stack.slice(at + file.length + 1))?.[0];
    return line === undefined ? undefined : `${file.slice(file.lastIndexOf('/') + 1)}:${line}`;
  } catch {
    return undefined; // as above
  }
}

const typeNames = new Set(
  'string number int int64 bigint boolean date array object tuple record map set file function null undefined void never nan symbol nonoptional json'.split(
    ' ',
  ),
);
const formatNames = new Set(
  'datetime date time duration email url uuid uuidv4 uuidv6 uuidv7 guid nanoid cuid cuid2 ulid ksuid xid ipv4 ipv6 cidrv4 cidrv6 mac base64 base64url e164 emoji jwt hex regex starts_with ends_with includes uppercase lowercase int32 uint32 float32 float64 safeint int64 uint64'.split(
    ' ',
  ),
);

function describe(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return typeNames.has(issue.expected) ? `expected ${issue.expected}` : 'has another type';
    case 'invalid_format':
      return formatNames.has(issue.format) ? `does not fit the format ${issue.format}` : 'does not fit its format';
    case 'invalid_value':
      return 'is none of the allowed values';
    case 'too_big':
      return 'is too big';
    case 'too_small':
      return 'is too small';
    case 'not_multiple_of':
      return 'is no multiple of its step';
    case 'unrecognized_keys':
      return 'has keys that the schema does not name';
    case 'invalid_union':
      return 'fits no member of the union';
    case 'invalid_key':
      return 'has a key that does not fit';
    case 'invalid_element':
      return 'has an element that does not fit';
    default:
      return 'fails a refinement';
  }
}

function pathOf(schema: z.ZodType, path: readonly PropertyKey[], what: string): string {
  const names = namesIn(schema);
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return typeof key === 'string' && names.has(key) ? `${text}.${key}` : `${text}.*`;
  }, what);
}

/** A recursive schema may make new ones for ever. */
const schemaNodes = 2_000;
const knownNames = new WeakMap<z.ZodType, Set<string>>();

/** Every property that the schema names, at any depth. */
function namesIn(schema: z.ZodType): Set<string> {
  let names = knownNames.get(schema);
  if (names === undefined) {
    names = new Set();
    collectNames(schema, names, new Set());
    knownNames.set(schema, names);
  }
  return names;
}

/** Walks whatever a definition holds: the kinds of schema are many, and a name missed is only a `*` in a reason. */
function collectNames(node: unknown, names: Set<string>, seen: Set<unknown>): void {
  if (typeof node !== 'object' || node === null || seen.has(node) || seen.size > schemaNodes) return;
  seen.add(node);
  if (Array.isArray(node)) {
    for (const item of node) collectNames(item, names, seen);
    return;
  }
  const definition = (node as { _zod?: { def?: Record<string, unknown> } })._zod?.def;
  if (definition === undefined) return;
  for (const [key, value] of Object.entries(definition)) {
    if (key === 'shape') for (const name of Object.keys(value as object)) names.add(name);
    collectNames(key === 'shape' ? Object.values(value as object) : value, names, seen);
  }
  if (typeof definition['getter'] === 'function') collectNames((definition['getter'] as () => unknown)(), names, seen);
}

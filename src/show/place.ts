import { ConfigError } from '../errors.js';
import { parseObjectKey } from '../keys.js';

/** A lake object, or one of its lines, which count from 1. */
export interface Place {
  readonly key: string;
  readonly line?: number;
}

/** What people write: `KEY` or `KEY:LINE`. Throws `ConfigError`, which names `what`. */
export function parsePlace(text: string, what: string): Place {
  const [, key = '', line] = /^([^:]*)(?::(\d{1,15}))?$/.exec(text) ?? [];
  if (parseObjectKey(key) === undefined)
    throw new ConfigError(`${what}: "${text}" is no place in the lake; write the key of an object, or KEY:LINE`);
  return { key, ...(line !== undefined && { line: Number(line) }) };
}

export function writePlace({ key, line }: Required<Place>): string {
  return `${key}:${line}`;
}

import { ConfigError } from '../../errors.js';

/** Of this process: which part has which topic or subscription, by its full name. */
const claims = new Map<string, string>();

/**
 * Whose it is, once its project is known: a config may write one with its project and one without. Of two parts with one topic or
 * subscription, one would acknowledge what it cannot read. `part`: with its pipeline. Throws `ConfigError` for the second.
 */
export function claim(part: string, names: readonly string[]): void {
  for (const name of names) {
    const owner = claims.get(name) ?? part;
    if (owner !== part)
      throw new ConfigError(
        `${part} names ${name}, which is that of ${owner}: each part of a pipeline needs a topic and a subscription of its own`,
      );
    claims.set(name, part);
  }
}

import type { z } from 'zod';

import { ConfigError } from '../errors.js';
import { problemsOf, type Problem } from '../problems.js';
import type { Place } from './provider.js';

/** Options that a config gave to a provider. Looking at them never throws, since importing a config must not. */
export interface CheckedOptions<Options> {
  readonly problems: readonly Problem[];
  /** Undefined where there are problems. */
  readonly data: Options | undefined;
  /** Throws `ConfigError` where there are problems, naming the option: `lake.bucket`. */
  of(place: Place): Options;
}

export function checkOptions<Options>(schema: z.ZodType<Options>, given: unknown): CheckedOptions<Options> {
  const { data, error } = schema.safeParse(given);
  const problems = problemsOf(error);
  return {
    problems,
    data,
    of({ part }) {
      if (data !== undefined) return data;
      const under = partPath(part);
      const lines = problems.map(
        ({ path, message }) => `${[under, path].filter((text) => text !== '').join('.')}: ${message}`,
      );
      throw new ConfigError(lines.join('\n'), { path: [under, problems[0]?.path].filter(Boolean).join('.') });
    },
  };
}

/** Where the config names the part: `source-app` is `sources.app`. */
function partPath(part: string): string {
  return part.replace(/^source-/, 'sources.');
}

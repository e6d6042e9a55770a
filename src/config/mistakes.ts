import { isAbsolute, relative } from 'node:path';

import { ConfigError } from '../errors.js';
import type { Problem } from '../problems.js';
import type { Site } from '../site.js';

/** A problem and where the call stands that has it. */
export interface Mistake extends Problem {
  readonly site: Partial<Site> & Pick<Site, 'file'>;
}

/** One error for all, a line each: `tables.ts:12: tables.screen_views.cluster[0]: what is wrong and what to write`. */
export function mistakesError(mistakes: readonly [Mistake, ...Mistake[]]): ConfigError {
  const [first] = mistakes;
  const lines = mistakes.map(({ site, path, message }) =>
    [describeSite(site), path, message].filter((part) => part !== '').join(': '),
  );
  return new ConfigError(lines.join('\n'), {
    ...(first.path !== '' && { path: first.path }),
    ...(first.site.line !== undefined && { line: first.site.line }),
  });
}

/** `tables.ts:12`, from the folder where the command was called. */
export function describeSite({ file, line }: Mistake['site']): string {
  const near = relative(process.cwd(), file);
  const path = near.startsWith('..') || isAbsolute(near) ? file : near;
  return line === undefined ? path : `${path}:${line}`;
}

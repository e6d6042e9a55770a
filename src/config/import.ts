import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { dirname, sep } from 'node:path';

import { createJiti } from 'jiti';

import type { ConfigError } from '../errors.js';
import { siteOf } from '../site.js';
import { mistakesError } from './mistakes.js';

/**
 * Imports a user's module, TypeScript or JavaScript, with all that it imports, anew at each call. In these `catchment` and
 * `zod` are this package and its own zod, wherever the file lies. Throws `ConfigError` where it cannot be read or throws.
 */
export async function importModule(file: string): Promise<Readonly<Record<string, unknown>>> {
  // Not at the top: what is exported to users includes what the config is made of.
  const [catchment, zod] = await Promise.all([import('../index.js'), import('zod')]);
  const jiti = createJiti(import.meta.url, {
    moduleCache: false,
    virtualModules: { catchment, zod, 'zod/v4': zod },
    alias: { zod: dirname(createRequire(import.meta.url).resolve('zod/package.json')) },
  });
  try {
    return await jiti.import<Record<string, unknown>>(file);
  } catch (error) {
    throw importFailure(file, error);
  }
}

const ours = fileURLToPath(new URL('..', import.meta.url));

function isUsers(file: string): boolean {
  return !file.startsWith(ours) && !file.includes(`${sep}node_modules${sep}`);
}

function importFailure(file: string, thrown: unknown): ConfigError {
  if (!(thrown instanceof Error))
    return mistakesError([{ site: { file }, path: '', message: 'threw something that is no Error' }]);
  const syntax = /^ParseError: (.*?)\s*\n\s*(.+):(\d+):\d+$/s.exec(thrown.message);
  if (syntax !== null) {
    const [, message, place, line] = syntax as unknown as [string, string, string, string];
    return mistakesError([{ site: { file: place, line: Number(line) }, path: '', message }]);
  }
  const site = siteOf(thrown.stack ?? '', isUsers) ?? { file };
  const message = thrown.message.split('\n', 1)[0]!;
  return mistakesError([{ site, path: '', message: thrown.name === 'Error' ? message : `${thrown.name}: ${message}` }]);
}

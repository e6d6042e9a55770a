import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';

import { createJiti } from 'jiti';

import type { ConfigError } from '../errors.js';
import { siteOf, type Site } from '../site.js';
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
  const failure = (site: Partial<Site>, message: string) =>
    mistakesError([{ site: { file, ...site }, path: '', message }]);
  // Not instanceof: under a test runner, what jiti throws is of another realm.
  if (!types.isNativeError(thrown)) return failure({}, 'threw something that is no Error');
  const { name, message, stack = '' } = thrown;
  const syntax = /^ParseError: (.*?)\s*\n\s*(.+):(\d+):\d+$/s.exec(message);
  if (syntax !== null) return failure({ file: syntax[2]!, line: Number(syntax[3]) }, syntax[1]!);
  if (message.startsWith(`Cannot find module '${file}'`)) {
    return failure({}, 'there is no such file; mend its name in the config');
  }
  const [line] = message.split('\n', 1) as [string];
  return failure(siteOf(stack, isUsers) ?? {}, name === 'Error' ? line : `${name}: ${line}`);
}

import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { ConfigError } from '../errors.js';
import type { DefinedConfig } from './define.js';
import { importModule } from './import.js';
import { mistakesError } from './mistakes.js';
import type { Settings } from './settings.js';

export { loadTables } from './load-tables.js';

const fileNames = ['catchment.config.ts', 'catchment.config.js', 'catchment.config.mjs'];

/**
 * Loads the config: of `config`, a file or the folder that holds it, else of `cwd` (default: the process's). Does not
 * import `tables` where that is a path. `dir` holds `.catchment`; default: the config's folder.
 *
 * @throws ConfigError - with file, line, path and what to write instead, for all mistakes at once
 */
export async function loadSettings(where: { config?: string; dir?: string; cwd?: string } = {}): Promise<Settings> {
  const cwd = resolve(where.cwd ?? '.');
  const file = await findConfig(resolve(cwd, where.config ?? '.'));
  const { default: config } = await importModule(file);
  if (!isDefined(config)) {
    const message = "exports no config; write export default defineConfig({ pipeline: 'app', tables: './tables.ts' })";
    throw mistakesError([{ site: { file }, path: '', message }]);
  }
  const [first, ...more] = config.problems.map((problem) => ({ ...problem, site: config.site ?? { file } }));
  if (first !== undefined) throw mistakesError([first, ...more]);
  const folder = dirname(file);
  const { tables } = config.settings;
  return {
    ...config.settings,
    tables: typeof tables === 'string' ? resolve(folder, tables) : tables,
    file,
    dataDir: join(where.dir === undefined ? folder : resolve(cwd, where.dir), '.catchment'),
  };
}

async function findConfig(path: string): Promise<string> {
  const candidates = (await isFolder(path)) ? fileNames.map((name) => join(path, name)) : [path];
  for (const file of candidates) if (await isFile(file)) return file;
  throw new ConfigError(
    candidates.length > 1
      ? `${path}: there is no ${fileNames[0]!}; make a project with catchment init DIR, or name a file with --config FILE`
      : `${path}: there is no such file; name the config with --config FILE`,
  );
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

function isDefined(value: unknown): value is DefinedConfig {
  const { settings, problems } = (value ?? {}) as Partial<DefinedConfig>;
  return typeof settings === 'object' && Array.isArray(problems);
}

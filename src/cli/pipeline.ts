import type { Settings } from '../config/settings.js';
import { ConfigError } from '../errors.js';
import type { Parts } from '../open.js';
import type { CommonOptions } from './output.js';

/** Loads the config that the call names. A command that never needs one starts without the loader. */
export async function loadSettings(options: CommonOptions): Promise<Settings> {
  const { loadSettings } = await import('../config/load.js');
  return loadSettings(options);
}

/** Lends the parts of the call's pipeline, and closes them afterwards. */
export async function withParts<Result>(
  options: CommonOptions,
  use: (settings: Settings, parts: Parts) => Promise<Result>,
): Promise<Result> {
  const settings = await loadSettings(options);
  const { openParts } = await import('../open.js');
  const parts = openParts(settings);
  try {
    return await use(settings, parts);
  } finally {
    await parts.close();
  }
}

/** The source that `--source` names. Throws `ConfigError` where there is none. */
export function namedSource({ sources, file }: Settings, name: string): string {
  if (Object.hasOwn(sources, name)) return name;
  throw new ConfigError(`--source: ${file} has no source ${name}; it has ${Object.keys(sources).join(', ')}`);
}

import { z } from 'zod';

import type { Table } from '../tables.js';
import { isTable } from './schema.js';
import { importModule } from './import.js';
import { describeSite, mistakesError, type Mistake } from './mistakes.js';
import type { Settings } from './settings.js';

/**
 * The tables of the settings: where `tables` is a path, all that the file exports, by name or in a default export.
 *
 * @throws ConfigError - with file, line, path and what to write instead, for all mistakes of all tables at once
 */
export async function loadTables(settings: Pick<Settings, 'tables' | 'file'>): Promise<readonly Table[]> {
  const file = typeof settings.tables === 'string' ? settings.tables : settings.file;
  const tables = typeof settings.tables === 'string' ? tablesIn(await importModule(file), file) : settings.tables;
  const [first, ...more] = [...mistakesIn(tables, file), ...namesakes(tables, file)];
  if (first !== undefined) throw mistakesError([first, ...more]);
  return tables;
}

function tablesIn(module: Readonly<Record<string, unknown>>, file: string): readonly Table[] {
  const exported = Object.values(module).flatMap((value): unknown[] => (Array.isArray(value) ? value : [value]));
  // A table may be exported by its name and in the default export too.
  const tables = [...new Set(exported.filter(isTable))];
  if (tables.length > 0 || Array.isArray(module['default'])) return tables;
  const message = "exports no table; write export const screenViews = defineTable('screen_views', { … })";
  throw mistakesError([{ site: { file }, path: '', message }]);
}

function mistakesIn(tables: readonly Table[], file: string): Mistake[] {
  return tables.flatMap(({ name, problems, site }) =>
    problems.map(({ path, message }) => ({
      path: path === '' ? pathOf(name) : `${pathOf(name)}.${path}`,
      message,
      site: site ?? { file },
    })),
  );
}

function namesakes(tables: readonly Table[], file: string): Mistake[] {
  return tables.flatMap(({ name, site }, index) => {
    const first = tables.findIndex((table) => table.name === name);
    if (first === index) return [];
    const message = `is defined twice, first at ${describeSite(tables[first]!.site ?? { file })}; give this one another name`;
    return [{ path: pathOf(name), message, site: site ?? { file } }];
  });
}

const pathOf = (table: string): string => z.core.toDotPath(['tables', table]);

import { TableMissing } from '../errors.js';

/**
 * The table, where this worker's config has it at that version or a higher one. Throws `TableMissing` otherwise: the attempt
 * fails so that another worker, of a newer config, takes the next one.
 */
export function atLeast<Table extends { readonly version: number }>(
  version: number | undefined,
  found: Table | undefined,
  table: string,
): Table {
  if (found === undefined) throw new TableMissing(`${table}: this worker's config has no such table`, { table });
  if (version === undefined || found.version >= version) return found;
  throw new TableMissing(
    `${table}: this worker's config has version ${found.version} of it, and ${version} is asked for; ` +
      `a worker of the newer config takes it`,
    { table },
  );
}

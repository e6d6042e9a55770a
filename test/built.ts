import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** A file of the build, where no source is newer: it starts several times faster than the source. */
export function built(...path: string[]): string | undefined {
  const file = join(root, 'dist', ...path);
  if (!existsSync(file)) return undefined;
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  const changedAt = Math.max(...sources.map((source) => statSync(join(root, 'src', source)).mtimeMs));
  return statSync(file).mtimeMs > changedAt ? file : undefined;
}

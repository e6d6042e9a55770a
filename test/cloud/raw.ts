import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** An object `lake/raw/…` of a place's bucket, where a folder lake would have it; without one, the folder alone. */
export function saveRaw(folder: string, key?: string, bytes: Uint8Array = new Uint8Array(0)): void {
  if (key === undefined) {
    mkdirSync(join(folder, 'raw'), { recursive: true });
    return;
  }
  const file = join(folder, key.slice('lake/'.length));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
}

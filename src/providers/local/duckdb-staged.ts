import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import pLimit from 'p-limit';

import { describeError, LakeCorrupt, LakeNotFound, Unavailable } from '../../errors.js';
import type { StagedFile } from '../warehouse.js';

const atOnce = 4;

/**
 * Where the files lie under `root`, after their bytes were found to be what their writer named: DuckDB takes a file that
 * was cut at the end of a line for a whole one. Throws `LakeNotFound`, `LakeCorrupt` or `Unavailable`.
 */
export async function stagedPaths(root: string, files: readonly StagedFile[]): Promise<string[]> {
  const limit = pLimit(atOnce);
  return limit.map(files, async ({ key, sha256 }) => {
    const path = join(root, key);
    const hash = createHash('sha256');
    try {
      await pipeline(createReadStream(path), hash);
    } catch (error) {
      throw await notRead(error, root, key);
    }
    if (hash.digest('hex') === sha256) return path;
    throw new LakeCorrupt(`the load file ${key} does not hold what its writer named: transform its objects again`, {
      key,
    });
  });
}

async function notRead(error: unknown, root: string, key: string): Promise<Error> {
  const gone = (error as NodeJS.ErrnoException).code === 'ENOENT';
  // A folder that is not mounted has no files either.
  if (gone && (await stat(root).catch(() => undefined)) !== undefined) {
    return new LakeNotFound(`there is no load file ${key}: transform its objects again`, { key });
  }
  return new Unavailable(`the load file ${key} cannot be read (${describeError(error)})`, { key, path: root });
}

import { hash } from 'node:crypto';

import { LakeCorrupt } from '../errors.js';
import type { Lake } from '../providers/lake.js';
import type { Load, StagedFile } from '../providers/warehouse.js';
import { readWhole } from './read-object.js';

/** A staged file's bytes. Throws `LakeNotFound`, or `LakeCorrupt` where they are not those that were staged. */
export async function readStaged(staging: Lake, { key, sha256 }: StagedFile): Promise<Buffer> {
  const body = await readWhole(staging, key);
  if (hash('sha256', body) !== sha256) throw new LakeCorrupt(`${key}: not the file that was staged`, { key });
  return body;
}

/** `sha256`: of the body, where it is known. */
export async function stageFile(
  staging: Lake,
  key: string,
  body: Uint8Array,
  sha256 = hash('sha256', body),
): Promise<StagedFile> {
  await staging.put(key, body);
  return { key, sha256 };
}

/** The plan of a table's load. Throws as `readStaged` does. */
export async function readPlan(staging: Lake, file: StagedFile): Promise<Load> {
  return JSON.parse((await readStaged(staging, file)).toString('utf8')) as Load;
}

/** `folder`: of the load files, with its last `/`. */
export async function stagePlan(staging: Lake, folder: string, load: Load): Promise<StagedFile> {
  return stageFile(staging, `${folder}plan.json`, Buffer.from(JSON.stringify(load)));
}

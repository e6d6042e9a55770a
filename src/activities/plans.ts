import { hash } from 'node:crypto';

import type { Lake } from '../providers/lake.js';
import type { Load, StagedFile } from '../providers/warehouse.js';
import { readNamed } from './read-object.js';

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

/** The plan of a table's load. Throws as `readNamed` does. */
export async function readPlan(staging: Lake, { key, sha256 }: StagedFile): Promise<Load> {
  return JSON.parse((await readNamed(staging, key, sha256)).toString('utf8')) as Load;
}

/** `folder`: of the load files, with its last `/`. */
export async function stagePlan(staging: Lake, folder: string, load: Load): Promise<StagedFile> {
  return stageFile(staging, `${folder}plan.json`, Buffer.from(JSON.stringify(load)));
}

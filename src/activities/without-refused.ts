import { LakeCorrupt, LakeNotFound } from '../errors.js';
import { parseObjectKey } from '../keys.js';
import type { Lake } from '../providers/lake.js';
import type { Load, LoadBatch, StagedFile } from '../providers/warehouse.js';
import { EventLines } from '../transform/files.js';
import { envelopesOf } from '../transform/object.js';
import { eventOf, readLines, stageLines } from './load-lines.js';
import { readObject } from './read-object.js';

/** Where load files are, and the lake objects that they were made of. */
export interface LoadFiles {
  readonly lake: Lake;
  readonly staging: Lake;
  /** Of new load files, with its last `/`. */
  readonly folder: string;
}

/** A load without its refused events, and how many lines of its files that takes away and adds. */
export interface Remainder {
  readonly load: Load;
  readonly rowsLess: number;
  readonly rejectionsMore: number;
}

/**
 * The same load, in which the events of `refused` (reasons by event key) have no row and stand as rejections: all rows of
 * each, and each of its copies. What a batch counts is of the object, and stays. Throws `LakeNotFound` or `LakeCorrupt`
 * where a load file or a lake object is not there any more.
 */
export async function withoutRefused(
  load: Load,
  refused: ReadonlyMap<string, string>,
  files: LoadFiles,
): Promise<Remainder> {
  const batches: LoadBatch[] = [];
  let rowsLess = 0;
  let rejectionsMore = 0;
  for (const batch of load.batches) {
    const { rowsFile, rejectionsFile, ...rest } = batch;
    const here = await refusedIn(files.staging, rowsFile, refused);
    if (rowsFile === undefined || here.size === 0) {
      batches.push(batch);
      continue;
    }
    const place = `${files.folder}${batch.batch}`;
    const { file, less } = await keepRows(files.staging, rowsFile, (event) => !here.has(event), place);
    const added = await rejectionsOf(batch, here, files);
    const rejected = await stageLines(files.staging, `${place}.rejections.ndjson.gz`, async function* () {
      if (rejectionsFile !== undefined) yield* readLines(files.staging, rejectionsFile);
      yield added;
    });
    rowsLess += less;
    rejectionsMore += added.length;
    batches.push({ ...rest, ...(file && { rowsFile: file }), ...(rejected && { rejectionsFile: rejected }) });
  }
  return { load: { ...load, batches }, rowsLess, rejectionsMore };
}

/** Stages a rows file of the `wanted` events alone; `less`: how many lines were left out. */
export async function keepRows(
  staging: Lake,
  rowsFile: StagedFile,
  wanted: (event: string) => boolean,
  place: string,
): Promise<{ file: StagedFile | undefined; less: number }> {
  let less = 0;
  const file = await stageLines(staging, `${place}.rows.ndjson.gz`, async function* () {
    for await (const lines of readLines(staging, rowsFile)) {
      const kept = lines.filter((line) => wanted(eventOf(line)));
      less += lines.length - kept.length;
      yield kept;
    }
  });
  return { file, less };
}

async function refusedIn(
  staging: Lake,
  rowsFile: StagedFile | undefined,
  refused: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, string>> {
  const here = new Map<string, string>();
  if (rowsFile === undefined || refused.size === 0) return here;
  for await (const lines of readLines(staging, rowsFile)) {
    for (const event of lines.map(eventOf)) {
      const reason = refused.get(event);
      if (reason !== undefined) here.set(event, reason);
    }
  }
  return here;
}

/** Which line of the object an event is, its rows do not say, so the object is read again. */
async function rejectionsOf(
  { key, batch }: LoadBatch,
  refused: ReadonlyMap<string, string>,
  { lake }: LoadFiles,
): Promise<Buffer[]> {
  const name = parseObjectKey(key);
  if (name === undefined) throw new LakeCorrupt(`${key}: no key of a lake object`, { key });
  const claims = { key, batch, source: name.source, events: name.events, sha256: name.hash };
  const made = await readObject(lake, key, (object) => {
    const lines: Buffer[] = [];
    let line = 0;
    for (const envelope of envelopesOf(object, claims)) {
      const event = new EventLines(envelope, key, ++line);
      const reason = refused.get(event.key);
      if (reason !== undefined) lines.push(Buffer.from(event.rejection(reason).trimEnd()));
    }
    return Promise.resolve(lines);
  });
  if (made === 'gone') throw new LakeNotFound(`${key}: the lake has no such object any more`, { key });
  if (made === 'corrupt') throw new LakeCorrupt(`${key}: the object can no longer be read`, { key });
  return made;
}

import { isDeepStrictEqual } from 'node:util';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

import { readObject } from '../activities/read-object.js';
import { Unavailable } from '../errors.js';
import type { ObjectName } from '../keys.js';
import type { Lake } from '../providers/lake.js';
import type { TableShape, Warehouse } from '../providers/warehouse.js';
import { splitLines } from '../send/lines.js';
import { EventLines, type LoadFile } from '../transform/files.js';
import { envelopesOf } from '../transform/object.js';
import type { TableOutcome, Transformer } from '../transform/transformer.js';

/** What a lake object holds, by identity. */
export interface ObjectContents {
  readonly identities: ReadonlySet<string>;
  /** By table: the rows that it makes of an identity, 0 where it rejects it; those it makes nothing of are absent. */
  readonly made: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

export interface ReadingObjects {
  readonly lake: Lake;
  readonly limits: Warehouse['limits'];
  readonly dedupeMs: number;
  readonly transformer: Pick<Transformer, 'transform'>;
}

/** Reads an object, its hash checked, and has `tables` transform it. A table whose code breaks over it is absent. */
export async function readContents(
  { lake, limits, dedupeMs, transformer }: ReadingObjects,
  { key, source, batch, events, hash }: ObjectName & { readonly key: string },
  tables: readonly TableShape[],
): Promise<ObjectContents | 'gone' | 'corrupt'> {
  const claims = { key, source, batch, events, sha256: hash };
  return readObject(lake, key, async (object) => {
    const identities = new Set<string>();
    let line = 0;
    for (const envelope of envelopesOf(object, claims)) identities.add(new EventLines(envelope, key, ++line).key);
    const made = new Map<string, Map<string, number>>();
    if (tables.length === 0) return { identities, made };
    const names = tables.map(({ name }) => name);
    const request = { ...claims, object, tables: names, existing: 'keep', dedupeMs, limits } as const;
    for (const outcome of await transformer.transform(request)) {
      const shape = tables.find(({ name }) => name === outcome.table)!;
      const rows = await rowsMade(outcome, shape);
      if (rows !== undefined) made.set(outcome.table, rows);
    }
    return { identities, made };
  });
}

async function rowsMade(outcome: TableOutcome, shape: TableShape): Promise<Map<string, number> | undefined> {
  if ('error' in outcome) return undefined;
  const { table } = outcome;
  if (!isDeepStrictEqual(outcome.shape, shape))
    throw new Unavailable(`${table}: its definition was changed while it was compared; compare again`, { table });
  const made = new Map<string, number>();
  for await (const event of linesOf(outcome.rejections)) made.set(event['event_key'] as string, 0);
  const copies = new Map<string, number>();
  for await (const { _event_key, _row } of linesOf(outcome.rows)) {
    const key = _event_key as string;
    const copy = (copies.get(key) ?? 0) + (_row === 0 ? 1 : 0);
    copies.set(key, copy);
    // Of the copies in an object the first that makes rows decides.
    if (copy === 1) made.set(key, (made.get(key) ?? 0) + 1);
  }
  return made;
}

async function* linesOf(file: LoadFile | undefined): AsyncGenerator<Record<string, unknown>> {
  if (file === undefined) return;
  const unzipped = Readable.from([file.body]).pipe(createGunzip());
  for await (const lines of splitLines(unzipped, Infinity)) {
    for (const { bytes } of lines) yield JSON.parse(Buffer.from(bytes!).toString('utf8')) as Record<string, unknown>;
  }
}

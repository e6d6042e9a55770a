import { readWhole } from '../activities/read-object.js';
import type { Envelope } from '../envelope.js';
import { LakeNotFound } from '../errors.js';
import { parseObjectKey } from '../keys.js';
import type { Lake } from '../providers/lake.js';
import { envelopesOf } from '../transform/object.js';
import type { Place } from './place.js';

export interface StoredEvent {
  readonly line: number;
  readonly envelope: Envelope;
}

/** The events of an object, or the one of a line. Throws `LakeNotFound`, of the line too, and `LakeCorrupt`. */
export async function* eventsAt(lake: Lake, { key, line: wanted }: Place): AsyncGenerator<StoredEvent> {
  const name = parseObjectKey(key)!;
  const bytes = await readWhole(lake, key);
  if (wanted !== undefined && (wanted < 1 || wanted > name.events)) {
    throw new LakeNotFound(`${key}: there is no line ${wanted}; it has ${name.events}`, { key, line: wanted });
  }
  let line = 0;
  for (const envelope of envelopesOf(bytes, { key, ...name, sha256: name.hash })) {
    line++;
    if (wanted === undefined || wanted === line) yield { line, envelope };
  }
}

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** A copy of an event, as a lake object holds it. */
export interface StoredEvent {
  readonly id: string;
  readonly sentAt: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

interface StoredLine {
  readonly id: string;
  readonly sentAt: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly body: string;
  readonly bodyEncoding?: 'base64';
}

export interface StoredObject {
  readonly key: string;
  readonly batch: string;
  readonly events: readonly StoredEvent[];
  /** What its key says and its bytes do not bear out. */
  readonly damage?: string;
}

/** All raw objects of a lake folder, read with nothing of Catchment's. */
export function readLake(folder: string): StoredObject[] {
  return readdirSync(join(folder, 'raw'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ndjson.gz'))
    .map((name) => readObject(folder, `raw/${name}`));
}

function readObject(folder: string, key: string): StoredObject {
  const bytes = readFileSync(join(folder, key));
  const [batch, events, hash] = basename(key, '.ndjson.gz').split('_') as [string, string, string];
  if (!createHash('sha256').update(bytes).digest('hex').startsWith(hash))
    return { key, batch, events: [], damage: 'its bytes are not those that its key names' };
  const lines = gunzipSync(bytes).toString('utf8').split('\n');
  if (lines.pop() !== '') return { key, batch, events: [], damage: 'its last line has no end' };
  const read = lines.map((line) => {
    const { id, sentAt, attributes, body, bodyEncoding } = JSON.parse(line) as StoredLine;
    return { id, sentAt, attributes, body: Buffer.from(body, bodyEncoding ?? 'utf8') };
  });
  if (read.length !== Number(events))
    return { key, batch, events: read, damage: `it holds ${read.length} events, its key says ${events}` };
  return { key, batch, events: read };
}

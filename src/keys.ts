import { timeOfId } from './ids.js';

/** What a lake object's key says of it: a listing proves counts, and the same key means the same bytes. */
export interface ObjectName {
  readonly source: string;
  readonly batch: string;
  readonly events: number;
  /** First 32 hex digits of the SHA-256 of the object's bytes. */
  readonly hash: string;
}

const pattern =
  /^raw\/([a-z0-9-]{1,40})\/dt=\d{4}-\d\d-\d\d\/hr=\d\d\/([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})_(\d+)_([0-9a-f]{32})\.ndjson\.gz$/;

/** `raw/<source>/dt=YYYY-MM-DD/hr=HH/`, of the hour (UTC) that the time lies in. */
export function hourPrefix(source: string, time: number): string {
  const iso = new Date(time).toISOString();
  return `raw/${source}/dt=${iso.slice(0, 10)}/hr=${iso.slice(11, 13)}/`;
}

/** Comes before the keys of all batches of the source that closed at `time` (Unix milliseconds) or later, and after all others. */
export function keyBefore(source: string, time: number): string {
  const hex = time.toString(16).padStart(12, '0');
  return `${hourPrefix(source, time)}${hex.slice(0, 8)}-${hex.slice(8)}`;
}

/** What every key of the batch begins with: the batch's id is a UUIDv7 of the moment it closed. */
export function batchPrefix(source: string, batch: string): string {
  return `${hourPrefix(source, timeOfId(batch) ?? 0)}${batch}_`;
}

export function objectKey(name: ObjectName): string {
  return `${batchPrefix(name.source, name.batch)}${name.events}_${name.hash}.ndjson.gz`;
}

/** undefined where the key is not one of ours: not the one that `objectKey` makes of what it says. */
export function parseObjectKey(key: string): ObjectName | undefined {
  const match = pattern.exec(key);
  if (match === null) return undefined;
  const [, source, batch, events, hash] = match as unknown as [string, string, string, string, string];
  const name = { source, batch, events: Number(events), hash };
  return objectKey(name) === key ? name : undefined;
}

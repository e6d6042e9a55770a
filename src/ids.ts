import { v7 } from 'uuid';

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** A UUIDv7 of this moment, in time order within the process (RFC 9562, §5.7). */
export function newId(): string {
  return v7();
}

/** The Unix time in milliseconds that a UUIDv7, in small or capital letters, carries; undefined for any other text. */
export function timeOfId(id: string): number | undefined {
  if (id.length !== 36 || !uuidV7.test(id)) return undefined;
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

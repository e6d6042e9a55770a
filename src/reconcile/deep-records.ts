import { timeOfId } from '../ids.js';

/** What is known of one identity, from one place. */
export interface Finding {
  /** `stored`: an object has it. `made`: a table's transform gives something for it. Else what a table holds. */
  readonly what: 'stored' | 'made' | 'row' | 'rejection';
  /** Among those that are compared; 0 of `stored`. */
  readonly table: number;
  /** Rows that are made, 0 where it is rejected; the version of what is held. */
  readonly number: number;
  /** Among the sources of the pipeline; `noSource` of any other. */
  readonly source: number;
  readonly batch: string;
}

export const noSource = 0xffff;
/** Bytes of a record: 128 bits of identity, then the rest. */
export const recordBytes = 41;
const identityDigits = 32;
const whats = ['stored', 'made', 'row', 'rejection'] as const;

/** False where the text is no identity, which is 128 bits in hex. */
export function isIdentity(eventKey: string): boolean {
  return eventKey.length === identityDigits && /^[0-9a-f]+$/.test(eventKey);
}

/** Writes the record at the buffer's position. */
export function writeRecord(to: Buffer, at: number, eventKey: string, finding: Finding): void {
  const { what, table, number, source, batch } = finding;
  to.write(eventKey, at, 'hex');
  to[at + 16] = whats.indexOf(what);
  to.writeUInt16BE(source, at + 17);
  to.writeUInt16BE(table, at + 19);
  to.writeInt32BE(number, at + 21);
  // What no batch of ours is called is of no time that retention could have taken.
  to.fill(0xff, at + 25, at + recordBytes);
  if (timeOfId(batch) !== undefined) to.write(batch.replaceAll('-', ''), at + 25, 'hex');
}

/** The time of the batch in Unix milliseconds, and the batch as 32 hex digits, instead of the batch's id. */
export interface ReadRecord extends Omit<Finding, 'batch'> {
  /** One character for each byte. */
  readonly identity: string;
  readonly batchHex: string;
  readonly closedAt: number;
}

export function readRecord(from: Buffer, at: number): ReadRecord {
  return {
    identity: from.toString('latin1', at, at + 16),
    what: whats[from[at + 16]!]!,
    source: from.readUInt16BE(at + 17),
    table: from.readUInt16BE(at + 19),
    number: from.readInt32BE(at + 21),
    batchHex: from.toString('hex', at + 25, at + recordBytes),
    closedAt: from.readUIntBE(at + 25, 6),
  };
}

/** The identity of a record as events' keys are written. */
export function eventKeyOf(identity: string): string {
  return Buffer.from(identity, 'latin1').toString('hex');
}

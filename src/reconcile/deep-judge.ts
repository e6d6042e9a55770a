import type { ReadRecord } from './deep-records.js';

/** What is wrong with an identity in one table. */
export type Fault = 'missing' | 'uneven' | 'extra';

/** What is known of an identity in one table. */
export interface InTable {
  /** Objects for which the table's transform gives rows or a rejection. */
  made: number;
  /** Rows that it gives, 0 for a rejection; `anyNumber` where objects differ. */
  rowsMade: number;
  rows: number;
  rejections: number;
  /** Some of its rows are of another version than the table's. */
  otherVersion: boolean;
  /** All that the table holds of it may be of objects that need not be in the lake any more. */
  excused: boolean;
  /** When the batches closed that make something of it, in Unix milliseconds. */
  from: number;
  to: number;
}

interface Known {
  /** Objects that have it. */
  stored: number;
  readonly tables: (InTable | undefined)[];
}

/** A partition's identities, by `ReadRecord.identity`. */
export type KnownIdentities = ReadonlyMap<string, Known>;

const anyNumber = -1;

/** `excuses`: the row or rejection may be of an object that cannot be looked at. */
export function gather(
  records: Iterable<ReadRecord>,
  versions: readonly number[],
  excuses: (record: ReadRecord) => boolean,
): KnownIdentities {
  const known = new Map<string, Known>();
  for (const record of records) {
    const { identity, what, table, number, closedAt } = record;
    let one = known.get(identity);
    if (one === undefined) known.set(identity, (one = { stored: 0, tables: [] }));
    if (what === 'stored') {
      one.stored += 1;
      continue;
    }
    const inTable = (one.tables[table] ??= nothingIn());
    if (what === 'made') {
      inTable.rowsMade = inTable.made === 0 || inTable.rowsMade === number ? number : anyNumber;
      inTable.made += 1;
      inTable.from = Math.min(inTable.from, closedAt);
      inTable.to = Math.max(inTable.to, closedAt);
    } else {
      if (what === 'row') inTable.rows += 1;
      else inTable.rejections += 1;
      inTable.otherVersion ||= number !== versions[table];
      inTable.excused &&= excuses(record);
    }
  }
  return known;
}

function nothingIn(): InTable {
  return {
    made: 0,
    rowsMade: 0,
    rows: 0,
    rejections: 0,
    otherVersion: false,
    excused: true,
    from: Infinity,
    to: 0,
  };
}

/**
 * Only what cannot be otherwise is a fault. An identity is judged where the current version loaded every object that has
 * it and makes something of each of its copies: another version may make nothing, and so may a copy with other attributes,
 * of which a `replace` may have been the last.
 */
export function judgeIdentity(stored: number, inTable: InTable): Fault | 'holds' | 'not judged' {
  const { made, rowsMade, rows, rejections, otherVersion, excused } = inTable;
  if (stored === 0) return rows + rejections === 0 || excused ? 'not judged' : 'extra';
  if (made !== stored) return 'not judged';
  if (rows + rejections === 0) return 'missing';
  const comparable = rejections === 0 && !otherVersion && rowsMade > 0;
  return comparable && rows !== rowsMade ? 'uneven' : 'holds';
}

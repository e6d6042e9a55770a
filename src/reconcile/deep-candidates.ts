import type { TableShape, Warehouse } from '../providers/warehouse.js';
import { judgeIdentity, type Fault, type InTable } from './deep-judge.js';
import { eventKeyOf } from './deep-records.js';
import type { IdentitiesReport } from './report.js';

interface Candidate {
  readonly eventKey: string;
  readonly stored: number;
  readonly inTable: InTable;
  readonly fault: Fault;
}

interface Tally {
  compared: number;
  notCompared: number;
  readonly faults: Record<Fault, number>;
  readonly examples: string[];
  from: number;
  to: number;
  /** How many were looked at again. */
  looked: number;
  candidates: Candidate[];
}

const askedAtOnce = 500;
/** Of a table that has lost so many the rest is counted as it was found. */
const mostLooked = 10_000;
const mostExamples = 10;

/** Identities that seem not to hold; each is looked at once more, in the table as it is now, before it counts. */
export class Candidates {
  readonly #warehouse: Pick<Warehouse, 'held' | 'query'>;
  readonly #shapes: readonly TableShape[];
  readonly #tallies: readonly Tally[];

  constructor(warehouse: Pick<Warehouse, 'held' | 'query'>, shapes: readonly TableShape[]) {
    this.#warehouse = warehouse;
    this.#shapes = shapes;
    this.#tallies = shapes.map(() => ({
      compared: 0,
      notCompared: 0,
      faults: { missing: 0, uneven: 0, extra: 0 },
      examples: [],
      from: Infinity,
      to: 0,
      looked: 0,
      candidates: [],
    }));
  }

  /** `identity`: one character a byte; `stored`: how many objects have it. */
  add(table: number, identity: string, stored: number, inTable: InTable): void {
    const verdict = judgeIdentity(stored, inTable);
    const tally = this.#tallies[table]!;
    if (verdict === 'not judged') {
      // It may have been deleted, or a copy that makes nothing may have been the last.
      if (inTable.made > 0 && inTable.rows + inTable.rejections === 0) tally.notCompared += 1;
      return;
    }
    if (verdict !== 'extra') tally.compared += 1;
    if (verdict === 'holds') return;
    tally.candidates.push({ eventKey: eventKeyOf(identity), stored, inTable, fault: verdict });
  }

  /** A row or rejection of nothing that can be compared. */
  addUnknown(table: number): void {
    this.#tallies[table]!.notCompared += 1;
  }

  async lookAgain(): Promise<void> {
    for (const [table, tally] of this.#tallies.entries()) {
      const candidates = tally.candidates;
      tally.candidates = [];
      for (let at = 0; at < candidates.length; at += askedAtOnce) {
        const some = candidates.slice(at, at + askedAtOnce);
        const enough = tally.looked >= mostLooked && tally.examples.length > 0;
        for (const fault of enough ? some : await this.#stillSo(table, some)) count(tally, fault);
        if (!enough) tally.looked += some.length;
      }
    }
  }

  /** After the last look: a newer version's load may have been what made the difference. */
  async reports(): Promise<Map<string, IdentitiesReport>> {
    const reports = new Map<string, IdentitiesReport>();
    for (const [table, { name, version }] of this.#shapes.entries()) {
      const { compared, notCompared, faults, examples, from, to } = this.#tallies[table]!;
      const newest = await this.#newestVersion(name);
      const { extra } = faults;
      const told: IdentitiesReport =
        newest > version
          ? { compared: 0, missing: 0, uneven: 0, extra, examples: [], newerVersion: newest }
          : { compared, ...faults, examples, ...(from <= to && { within: { from: iso(from), to: iso(to) } }) };
      reports.set(name, { ...told, ...(notCompared > 0 && { notCompared }) });
    }
    return reports;
  }

  async #newestVersion(table: string): Promise<number> {
    const sql = `SELECT max(version) AS version FROM catchment_loads WHERE table_name = '${table}'`;
    for await (const { version } of this.#warehouse.query(sql)) return Number(version ?? 0);
    return 0;
  }

  async #stillSo(table: number, candidates: readonly Candidate[]): Promise<Candidate[]> {
    const { name, version } = this.#shapes[table]!;
    const now = new Map(
      candidates.map(({ eventKey, inTable }) => [
        eventKey,
        { ...inTable, rows: 0, rejections: 0, otherVersion: false },
      ]),
    );
    for await (const held of this.#warehouse.held(name, [...now.keys()])) {
      const one = now.get(held.eventKey)!;
      if (held.rejected) one.rejections += 1;
      else one.rows += 1;
      one.otherVersion ||= held.version !== version;
    }
    return candidates.filter(({ eventKey, stored, fault }) => judgeIdentity(stored, now.get(eventKey)!) === fault);
  }
}

function count(tally: Tally, { eventKey, inTable, fault }: Candidate): void {
  tally.faults[fault] += 1;
  if (tally.examples.length < mostExamples) tally.examples.push(eventKey);
  tally.from = Math.min(tally.from, inTable.from);
  tally.to = Math.max(tally.to, inTable.to);
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expectedRows, type NumberedEvent, type Row } from './events.js';
import { readLake, type StoredObject } from './judge-lake.js';
import { readTables, type TableContents, type TableRow } from './judge-tables.js';

export interface Evidence {
  /** All that was ever handed to a sender, a body a line: what may be there. */
  readonly sentFile: string;
  /** What `catchment send --ledger` noted: what must be there. */
  readonly ledgerFile: string;
  readonly dataDir: string;
  /** Tables whose objects have been made anew: the manifest has several lines of each. */
  readonly remade?: readonly string[];
}

export interface Verdict {
  /** Empty where nothing is lost, changed, there twice or too much. */
  readonly faults: readonly string[];
  readonly events: { readonly sent: number; readonly inLedger: number; readonly inLake: number };
  readonly copies: number;
  readonly rows: Readonly<Record<string, number>>;
}

interface LedgerLine {
  readonly id: string;
  readonly sha256: string;
}

/**
 * Holds the stores themselves against what was sent, with nothing of Catchment's own reading or comparing. Nothing of the
 * pipeline may run, and nothing may be under way in it.
 */
export async function judge({ sentFile, ledgerFile, dataDir, remade = [] }: Evidence): Promise<Verdict> {
  const sent = new Map(linesOf(sentFile).map((body) => [(JSON.parse(body) as NumberedEvent).id, Buffer.from(body)]));
  const ledger = linesOf(ledgerFile).map((line) => JSON.parse(line) as LedgerLine);
  const objects = readLake(join(dataDir, 'lake'));
  const stored = new Map<string, Buffer>();
  const faults: string[] = [];

  for (const { key, events, damage } of objects) {
    if (damage !== undefined) faults.push(`object damaged: ${key}: ${damage}`);
    for (const { id, body } of events) {
      const original = sent.get(id);
      if (original === undefined) faults.push(`event never sent: ${id} in ${key}`);
      else if (!original.equals(body)) faults.push(`event changed: ${id} in ${key}`);
      else stored.set(id, body);
    }
  }
  for (const { id, sha256 } of ledger) {
    const body = stored.get(id);
    if (body === undefined) faults.push(`event lost: ${id}`);
    else if (createHash('sha256').update(body).digest('hex') !== sha256) faults.push(`event changed: ${id}`);
  }

  const numbers = new Map([...stored].map(([id, body]) => [id, (JSON.parse(body.toString()) as NumberedEvent).number]));
  const tables = await readTables(dataDir, Object.keys(expectedRows));
  for (const [table, contents] of tables) {
    const say = (fault: string): unknown => faults.push(`${table}: ${fault}`);
    judgeRows(contents, numbers, expectedRows[table]!, say);
    judgeManifest(contents, objects, remade.includes(table), say);
  }
  return {
    faults,
    events: { sent: sent.size, inLedger: ledger.length, inLake: stored.size },
    copies: objects.reduce((sum, { events }) => sum + events.length, 0) - stored.size,
    rows: Object.fromEntries([...tables].map(([table, { rows }]) => [table, rows.length])),
  };
}

function judgeRows(
  { rows, rejections }: TableContents,
  numbers: ReadonlyMap<string, number>,
  expected: (number: number) => readonly Row[] | 'rejected',
  say: (fault: string) => void,
): void {
  const rowsOf = groupBy(rows, '_event_id');
  const rejectionsOf = groupBy(rejections, 'event_id');
  for (const [id, number] of numbers) {
    const wanted = expected(number);
    const wantedRows = wanted === 'rejected' ? [] : wanted;
    const found = rowsOf.get(id) ?? [];
    for (const [index, row] of wantedRows.entries()) {
      const there = found.filter(({ _row }) => _row === `${index}`);
      if (there.length === 0) say(`row missing: ${id}, ${index}`);
      if (there.length > 1) say(`row ${there.length} times: ${id}, ${index}`);
      for (const each of there) {
        const changed = Object.keys(row).filter((column) => each[column] !== row[column]);
        if (changed.length > 0) say(`row changed: ${id}, ${index}: ${changed.join()}`);
      }
    }
    const spurious = found.filter(({ _row }) => !(Number(_row) < wantedRows.length));
    if (spurious.length > 0) say(`row spurious: ${id}, ${spurious.map(({ _row }) => _row).join()}`);
    const rejected = rejectionsOf.get(id)?.length ?? 0;
    if (rejected !== (wanted === 'rejected' ? 1 : 0)) say(`rejected ${rejected} times: ${id}`);
  }
  for (const id of rowsOf.keys()) if (!numbers.has(id)) say(`row spurious: of ${id}, which the lake does not have`);
  for (const id of rejectionsOf.keys()) if (!numbers.has(id)) say(`rejected, but not in the lake: ${id}`);
}

function judgeManifest(
  { rows, rejections, manifest }: TableContents,
  objects: readonly StoredObject[],
  remade: boolean,
  say: (fault: string) => void,
): void {
  const linesOfBatch = groupBy(manifest, 'batch');
  for (const { batch, key, events } of objects) {
    const lines = linesOfBatch.get(batch) ?? [];
    if (lines.length === 0 || (lines.length > 1 && !remade)) say(`manifest has ${lines.length} lines of ${key}`);
    for (const line of lines) {
      if (line['key'] !== key || line['events'] !== `${events.length}` || line['problem'] !== null)
        say(`manifest is wrong about ${key}: ${JSON.stringify(line)}`);
    }
  }
  const stored = new Set(objects.map(({ batch }) => batch));
  for (const batch of linesOfBatch.keys()) if (!stored.has(batch)) say(`manifest has ${batch}, which the lake has not`);
  const sum = (column: string): number => manifest.reduce((total, line) => total + Number(line[column]), 0);
  const inRows = sum('rows') - sum('removed');
  if (inRows !== rows.length) say(`manifest counts ${inRows} rows, the table ${rows.length}`);
  const inRejections = sum('rejected') - sum('cleared');
  if (inRejections !== rejections.length)
    say(`manifest counts ${inRejections} rejections, there are ${rejections.length}`);
}

function groupBy(rows: readonly TableRow[], column: string): Map<string, TableRow[]> {
  const groups = new Map<string, TableRow[]>();
  for (const row of rows) {
    const name = row[column] ?? '';
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [row]);
    else group.push(row);
  }
  return groups;
}

/** A last line without an end was cut off by a kill: its event was not yet noted. */
function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8').split('\n').slice(0, -1);
}

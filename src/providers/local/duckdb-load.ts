import { RowsRefused } from '../../errors.js';
import type { Load, LoadBatch, LoadResult } from '../warehouse.js';
import { judge, type Judgement } from './duckdb-judge.js';
import { judgeNew } from './duckdb-new.js';
import { insertNaming } from './duckdb-refused.js';
import type { Session } from './duckdb-session.js';
import { lineColumns, list, loadsOf, moment, name, rejectedOf, rejectionColumns, tableOf, text } from './duckdb-sql.js';
import { stage } from './duckdb-stage.js';

const counts = ['events', 'matched', 'rows', 'removed', 'duplicates', 'rejected', 'cleared'] as const;
const nothing: LoadResult = { events: 0, matched: 0, rows: 0, removed: 0, duplicates: 0, rejected: 0, cleared: 0 };

/** A line of the manifest, as far as a later load looks at it. */
interface Line extends LoadResult {
  readonly batch: string;
  readonly version: number;
  readonly load: string;
  readonly problem: string | null;
  /** ISO 8601. */
  readonly loadedAt: string;
}

/**
 * Puts a load's rows, rejections and manifest lines into the session's transaction. It relies on being the only load of
 * its table at this moment: whoever calls it sees to that. `naming`: it is to be rolled back, and names what is refused.
 */
export async function load(session: Session, load: Load, root: string, naming: boolean): Promise<LoadResult> {
  const batches = [...new Map(load.batches.map((batch) => [batch.batch, batch])).values()];
  const lines = await linesOf(session, load.table.name, batches);
  const before = lines.filter((line) => line.load === load.id);
  if (before.length > 0) return sum(before);

  const open = batches.filter((batch) => !isSettled(batch, load, lines));
  const results = await loadReadable(
    session,
    load,
    open.filter((batch) => batch.problem === undefined),
    root,
    naming,
  );
  for (const { batch, problem } of open) {
    if (problem === undefined) continue;
    const told = lines.some(
      (line) => line.batch === batch && line.version === load.table.version && line.problem === problem,
    );
    if (!told) results.set(batch, nothing);
  }
  await writeLines(session, load, open, results);
  return sum([...results.values()]);
}

function isSettled(batch: LoadBatch, { existing, table, anew = '' }: Load, lines: readonly Line[]): boolean {
  const good = lines.filter((line) => line.batch === batch.batch && line.problem === null);
  if (existing === 'keep') return good.length > 0;
  if (existing === 'replace') {
    return good.some(
      ({ version, loadedAt }) => version > table.version || (version === table.version && loadedAt >= anew),
    );
  }
  return good.length === 0;
}

async function loadReadable(
  session: Session,
  load: Load,
  batches: readonly LoadBatch[],
  root: string,
  naming: boolean,
): Promise<Map<string, LoadResult>> {
  const results = new Map<string, LoadResult>();
  for (const { batch, events, matched } of batches) {
    // In mode `rejected` an earlier line has counted the object; this one counts the events it looks at.
    results.set(batch, load.existing === 'rejected' ? nothing : { ...nothing, events, matched });
  }
  if (batches.every(({ rowsFile, rejectionsFile }) => rowsFile === undefined && rejectionsFile === undefined))
    return results;

  await stage(session, load.table, batches, root, naming);
  const window = {
    from: least(batches.map((batch) => batch.lookFrom)),
    to: greatest(batches.map((batch) => batch.lookTo)),
  };
  // Which lines are refused is told of lines that `judge` chose.
  const judgement =
    (naming ? undefined : await judgeNew(session, load, window)) ?? (await judge(session, load, window));
  for (const judged of judgement.batches) {
    const result = results.get(judged.batch);
    if (result === undefined)
      throw new RowsRefused('a load file names a batch that it is not of', { table: load.table.name });
    const { rows, removed, duplicates, rejected, cleared } = judged;
    const matched = load.existing === 'rejected' ? (judged.events ?? 0) : result.matched;
    results.set(judged.batch, { ...result, matched, rows, removed, duplicates, rejected, cleared });
  }
  const insert = (sql: string): Promise<void> =>
    naming ? insertNaming(session, load, batches, window, sql) : session.run(sql);
  await apply(session, load, window, sum([...results.values()]), judgement, insert);
  return results;
}

/** Does what `judge` found. A step that has nothing to do is left out, since each costs a scan of the window. */
async function apply(
  session: Session,
  { table }: Load,
  window: { from: string; to: string },
  all: LoadResult,
  chosen: Judgement,
  insert: (sql: string) => Promise<void>,
): Promise<void> {
  const between = `BETWEEN ${moment(window.from)} AND ${moment(window.to)}`;
  const acting = `(SELECT key FROM catchment_judged WHERE outcome IN ('rows', 'rejected', 'none'))`;
  if (all.removed > 0) {
    await session.run(`DELETE FROM ${tableOf(table.name)} WHERE _sent_at ${between} AND _event_key IN ${acting}`);
  }
  if (all.cleared > 0) {
    await session.run(`DELETE FROM ${rejectedOf(table.name)} WHERE sent_at ${between} AND event_key IN ${acting}`);
  }
  if (all.rows > 0) {
    const columns = [...Object.keys(lineColumns), ...table.columns.map((column) => column.name)].map(name).join(', ');
    await insert(
      `INSERT INTO ${tableOf(table.name)} (${columns}, _version, _loaded_at) ` +
        `SELECT ${columns}, ${table.version}, now() FROM catchment_staged WHERE ${chosen.rows}`,
    );
  }
  if (all.rejected > 0) {
    const columns = Object.keys(rejectionColumns).join(', ');
    await session.run(
      `INSERT INTO ${rejectedOf(table.name)} (version, ${columns}, rejected_at) SELECT ${table.version}, ${columns}, now() ` +
        `FROM catchment_refused WHERE ${chosen.rejections}`,
    );
  }
}

async function linesOf(session: Session, table: string, batches: readonly LoadBatch[]): Promise<Line[]> {
  if (batches.length === 0) return [];
  const ids = batches.map((batch) => batch.batch);
  // The range lets DuckDB pass over all of the manifest but the newest lines: batch ids are in time order.
  const rows = await session.rows(
    `SELECT batch, version, load, problem, epoch_ms(loaded_at) AS at, ${counts.join(', ')} FROM ${loadsOf(table)} ` +
      `WHERE batch BETWEEN ${text(least(ids))} AND ${text(greatest(ids))} AND batch IN ${list(ids)}`,
  );
  return rows.map((row) => ({
    batch: row['batch'] as string,
    version: row['version'] as number,
    load: row['load'] as string,
    problem: row['problem'] as string | null,
    loadedAt: new Date(Number(row['at'])).toISOString(),
    ...(Object.fromEntries(counts.map((count) => [count, Number(row[count])])) as unknown as LoadResult),
  }));
}

async function writeLines(
  session: Session,
  { id, table }: Load,
  open: readonly LoadBatch[],
  results: ReadonlyMap<string, LoadResult>,
): Promise<void> {
  const values = open.flatMap(({ batch, key, problem }) => {
    const result = results.get(batch);
    if (result === undefined) return [];
    const told = problem === undefined ? 'NULL' : text(problem);
    return `(${table.version}, ${text(batch)}, ${text(id)}, ${text(key)}, ${counts.map((count) => result[count]).join(', ')}, ${told}, now())`;
  });
  if (values.length === 0) return;
  await session.run(
    `INSERT INTO ${loadsOf(table.name)} (version, batch, load, key, ${counts.join(', ')}, problem, loaded_at) ` +
      `VALUES ${values.join(', ')}`,
  );
}

function sum(results: readonly LoadResult[]): LoadResult {
  return Object.fromEntries(
    counts.map((count) => [count, results.reduce((total, result) => total + result[count], 0)]),
  ) as unknown as LoadResult;
}

const least = (values: readonly string[]): string => values.reduce((a, b) => (a < b ? a : b));
const greatest = (values: readonly string[]): string => values.reduce((a, b) => (a > b ? a : b));

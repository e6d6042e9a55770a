import { RowsRefused, type RefusedLine } from '../errors.js';
import { mostRefused, type Load, type LoadBatch, type Warehouse } from '../providers/warehouse.js';
import { eventOf, readLines } from './load-lines.js';
import { keepRows, withoutRefused, type LoadFiles, type Remainder } from './without-refused.js';

/** A warehouse that names no line is asked so often at most; each probe takes what staging its part of the load takes. */
const mostProbes = 1_000;

/**
 * A load without the events that only the warehouse can refuse, which stand in it as rejections. Nothing is written but
 * load files, so it may be done again at any time. Throws `RowsRefused` where they are the table's fault: more than
 * `mostRefused`, or none that is refused by itself; and what `probe` and `withoutRefused` throw.
 */
export async function rejectRefused(
  load: Load,
  warehouse: Pick<Warehouse, 'probe'>,
  files: LoadFiles,
  signal: AbortSignal,
): Promise<Remainder & { readonly events: number }> {
  return new Search(load, warehouse, files, signal).run();
}

class Search {
  readonly #load: Load;
  readonly #warehouse: Pick<Warehouse, 'probe'>;
  readonly #files: LoadFiles;
  readonly #signal: AbortSignal;
  /** Reasons by event key. */
  readonly #refused = new Map<string, string>();
  #probes = 0;
  #folders = 0;

  constructor(load: Load, warehouse: Pick<Warehouse, 'probe'>, files: LoadFiles, signal: AbortSignal) {
    this.#load = load;
    this.#warehouse = warehouse;
    this.#files = files;
    this.#signal = signal;
  }

  async run(): Promise<Remainder & { readonly events: number }> {
    for (;;) {
      const rest = await withoutRefused(this.#load, this.#refused, { ...this.#files, folder: this.#newFolder() });
      const error = await this.#probe(rest.load);
      if (error === undefined) return { ...rest, events: this.#refused.size };
      const before = this.#refused.size;
      const found = error.lines.length > 0 ? this.#named(rest.load, error.lines) : this.#searched(rest.load);
      for await (const { event, reason } of found) {
        if (!this.#refused.has(event)) this.#refused.set(event, reason);
        if (this.#refused.size > mostRefused) throw this.#fault(`more than ${mostRefused} events of one load`, error);
      }
      if (this.#refused.size === before) throw this.#fault('rows, though none by itself', error);
    }
  }

  /** Objects are written once, so each round writes into a folder of its own. */
  #newFolder(): string {
    return `${this.#files.folder}${++this.#folders}/`;
  }

  async #probe(load: Load): Promise<RowsRefused | undefined> {
    this.#signal.throwIfAborted();
    this.#probes++;
    try {
      await this.#warehouse.probe(load, this.#files.staging, this.#signal);
      return undefined;
    } catch (error) {
      if (!(error instanceof RowsRefused)) throw error;
      if (this.#probes >= mostProbes) throw this.#fault(`rows that ${mostProbes} probes could not tell apart`, error);
      return error;
    }
  }

  async *#named(load: Load, lines: readonly RefusedLine[]): AsyncGenerator<{ event: string; reason: string }> {
    for (const { rowsFile } of load.batches) {
      const here = new Map(lines.filter(({ key }) => key === rowsFile?.key).map(({ line, reason }) => [line, reason]));
      if (rowsFile === undefined || here.size === 0) continue;
      let line = 0;
      for await (const part of readLines(this.#files.staging, rowsFile)) {
        for (const bytes of part) {
          const reason = here.get(++line);
          if (reason !== undefined) yield { event: eventOf(bytes), reason };
        }
      }
    }
  }

  /** First the batches, whose files are there already, then within one its events. */
  async *#searched(load: Load): AsyncGenerator<{ event: string; reason: string }> {
    const batches = refusedAmong(load.batches, (part) => this.#probe({ ...load, batches: part }));
    for await (const { item: batch } of batches) {
      const events = refusedAmong(await this.#eventsOf(batch), async (part) =>
        this.#probe({ ...load, batches: [await this.#only(batch, new Set(part))] }),
      );
      for await (const { item, error } of events) yield { event: item, reason: error.message };
    }
  }

  async #eventsOf({ rowsFile }: LoadBatch): Promise<string[]> {
    const events = new Set<string>();
    if (rowsFile === undefined) return [];
    for await (const lines of readLines(this.#files.staging, rowsFile))
      for (const line of lines) events.add(eventOf(line));
    return [...events];
  }

  async #only(batch: LoadBatch, events: ReadonlySet<string>): Promise<LoadBatch> {
    const { rowsFile, rejectionsFile: _none, ...rest } = batch;
    const place = `${this.#newFolder()}${batch.batch}`;
    const { file } = await keepRows(this.#files.staging, rowsFile!, (event) => events.has(event), place);
    return { ...rest, ...(file && { rowsFile: file }) };
  }

  #fault(what: string, { message, where }: RowsRefused): RowsRefused {
    const { name: table } = this.#load.table;
    return new RowsRefused(
      `${table}: the warehouse refuses ${what}, which is the table's fault and not theirs, so nothing is rejected ` +
        `(${message}); mend the table or what its rows() makes, and its backfill loads them`,
      { ...where, table },
    );
  }
}

/** The items that are refused by themselves, by halves; in order, so that whoever has seen enough can stop. */
async function* refusedAmong<Item>(
  items: readonly Item[],
  probe: (part: readonly Item[]) => Promise<RowsRefused | undefined>,
): AsyncGenerator<{ item: Item; error: RowsRefused }> {
  if (items.length === 0) return;
  const error = await probe(items);
  if (error === undefined) return;
  if (items.length === 1) {
    yield { item: items[0]!, error };
    return;
  }
  const half = items.length >> 1;
  yield* refusedAmong(items.slice(0, half), probe);
  yield* refusedAmong(items.slice(half), probe);
}

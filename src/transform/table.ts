import type { z } from 'zod';

import type { TableShape, Warehouse } from '../providers/warehouse.js';
import type { Table } from '../tables.js';
import type { LakeEvent } from './event.js';
import { LoadFileWriter, type EventLines, type LoadFile } from './files.js';
import { Refusal } from './refusal.js';
import { refusedBy, refusedByThrow } from './reasons.js';
import { rowWriter, type RowWriter } from './rows.js';

type Parsed = z.ZodSafeParseResult<unknown>;
/** The columns of each row, or why the event makes none. */
type Made = readonly string[] | Refusal | 'not matched';

const none: Made = [];
const noJson = new Refusal('the body is not JSON');

/** What an object gives one table. */
export interface TableFiles {
  readonly table: string;
  readonly version: number;
  readonly shape: TableShape;
  /** Events in the object. */
  readonly events: number;
  /** Events that `match` took, copies and rejections included. */
  readonly matched: number;
  /** ISO 8601, both ends included. */
  readonly lookFrom: string;
  readonly lookTo: string;
  readonly rows?: LoadFile;
  readonly rejections?: LoadFile;
}

/** Gives one table its events, one after the other. No error of user code leaves it: it is the event's rejection. */
export class TableTransform {
  readonly #table: Table;
  readonly #write: RowWriter;
  /** An event without rows says so, that it loses the rows or the rejection that it has. */
  readonly #tellRowless: boolean;
  /** By line: events that were found to hang or to break the thread. */
  readonly #refused: ReadonlyMap<number, string>;
  readonly #parseEvent: Parser | undefined;
  readonly #parseRow: Parser;
  readonly #rows = new LoadFileWriter();
  readonly #rejections = new LoadFileWriter();
  #matched = 0;

  constructor(
    table: Table,
    how: { limits: Warehouse['limits']; tellRowless: boolean; refused: ReadonlyMap<number, string> },
  ) {
    this.#table = table;
    this.#write = rowWriter(table.shape, how.limits);
    this.#tellRowless = how.tellRowless;
    this.#refused = how.refused;
    this.#parseEvent = table.event && parserOf(table.event);
    this.#parseRow = parserOf(table.row);
  }

  /** Resolves when the event is written; without a promise where no user code is asynchronous, which is far cheaper. */
  take(event: LakeEvent, lines: EventLines, line: number): Promise<void> | undefined {
    const refused = this.#refused.get(line);
    const made = refused === undefined ? this.#make(event) : new Refusal(refused);
    if (made instanceof Promise) return made.then((later) => this.#add(lines, later));
    this.#add(lines, made);
    return undefined;
  }

  async finish(object: Pick<TableFiles, 'events' | 'lookFrom' | 'lookTo'>): Promise<TableFiles> {
    const [rows, rejections] = await Promise.all([this.#rows.finish(), this.#rejections.finish()]);
    const { name, version, shape } = this.#table;
    return {
      table: name,
      version,
      shape,
      ...object,
      matched: this.#matched,
      ...(rows && { rows }),
      ...(rejections && { rejections }),
    };
  }

  #add(lines: EventLines, made: Made): void {
    if (made !== 'not matched') this.#matched++;
    if (made instanceof Refusal) {
      this.#rejections.add(lines.rejection(made.reason));
    } else if (made === 'not matched' || made.length === 0) {
      if (this.#tellRowless) this.#rows.add(lines.noRow());
    } else {
      for (let index = 0; index < made.length; index++) this.#rows.add(lines.row(index, made[index]!));
    }
  }

  #make(event: LakeEvent): Made | Promise<Made> {
    try {
      const matched: unknown = this.#table.match(event);
      if (!matched) return 'not matched';
      if (isPromise(matched)) return new Refusal('match gave a promise: it must answer at once');
    } catch (error) {
      return this.#thrown(error, 'match');
    }
    return this.#guarded('the contract', () => this.#contract(event));
  }

  #contract(event: LakeEvent): Made | Promise<Made> {
    const contract = this.#table.event;
    if (contract === undefined || this.#parseEvent === undefined) {
      return this.#guarded('rows', () => this.#makeRows(event, event.json));
    }
    const { json } = event;
    return andThen(this.#parseEvent(json), (parsed) => {
      if (parsed.success) return this.#guarded('rows', () => this.#makeRows(event, parsed.data));
      return json === undefined ? noJson : refusedBy(contract, parsed.error.issues, 'event');
    });
  }

  #makeRows(event: LakeEvent, input: unknown): Made | Promise<Made> {
    return andThen(this.#table.rows(input, { event }), (rows) =>
      this.#guarded('the row schema', () => {
        if (rows === undefined || rows === null) return none;
        return Array.isArray(rows) ? this.#checkAll(rows) : andThen(this.#check(rows, 0), asList);
      }),
    );
  }

  #checkAll(rows: readonly unknown[]): Made | Promise<Made> {
    const made: string[] = [];
    for (let index = 0; index < rows.length; index++) {
      const row = this.#check(rows[index], index);
      if (row instanceof Promise) return this.#checkAllLater(rows);
      if (row instanceof Refusal) return row;
      made.push(row);
    }
    return made;
  }

  async #checkAllLater(rows: readonly unknown[]): Promise<Made> {
    const made: string[] = [];
    for (let index = 0; index < rows.length; index++) {
      const row = await this.#check(rows[index], index);
      if (row instanceof Refusal) return row;
      made.push(row);
    }
    return made;
  }

  #check(row: unknown, index: number): string | Refusal | Promise<string | Refusal> {
    return andThen(this.#parseRow(row), (parsed) => {
      if (!parsed.success) return refusedBy(this.#table.row, parsed.error.issues, `rows[${index}]`);
      const written = this.#write(parsed.data as Record<string, unknown>);
      return written instanceof Refusal ? new Refusal(`rows[${index}].${written.reason}`) : written;
    });
  }

  /** What user code throws, or rejects with, becomes a refusal. */
  #guarded(what: string, make: () => Made | Promise<Made>): Made | Promise<Made> {
    try {
      const made = make();
      return made instanceof Promise ? made.catch((error: unknown) => this.#thrown(error, what)) : made;
    } catch (error) {
      return this.#thrown(error, what);
    }
  }

  #thrown(error: unknown, what: string): Refusal {
    return refusedByThrow(error, what, this.#table.site?.file);
  }
}

function asList(row: string | Refusal): Made {
  return row instanceof Refusal ? row : [row];
}

type Parser = (value: unknown) => Parsed | Promise<Parsed>;

/** At once, unless the schema turns out to have something asynchronous: Zod shows that by throwing, not always the same. */
function parserOf(schema: z.ZodType): Parser {
  let asynchronous = false;
  const later = async (value: unknown): Promise<Parsed> => {
    const parsed = await schema.safeParseAsync(value);
    asynchronous = true;
    return parsed;
  };
  return (value) => {
    if (asynchronous) return later(value);
    try {
      return schema.safeParse(value);
    } catch {
      return later(value);
    }
  };
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

function andThen<A, B>(value: A | PromiseLike<A>, next: (value: A) => B | Promise<B>): B | Promise<B> {
  return isPromise(value) ? Promise.resolve(value).then(next) : next(value);
}
